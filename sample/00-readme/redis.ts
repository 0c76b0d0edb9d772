import { Balances } from './balances.js';
import { Wallets } from './quick-start.js';
// #region redis
import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { RedisBackend } from 'nestjs-locked/redis';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => ({ backend: new RedisBackend({ url: process.env['REDIS_URL']! }) }),
    }),
  ],
  providers: [Wallets, Balances],
})
export class SharedWalletModule {}
// #endregion
