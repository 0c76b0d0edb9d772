import { Balances } from './balances.js';
import { Wallets } from './quick-start.js';
// #region zookeeper
import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { ZooKeeperBackend } from 'nestjs-locked/zookeeper';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => ({ backend: new ZooKeeperBackend({ connect: process.env['ZOOKEEPER_CONNECT']! }) }),
    }),
  ],
  providers: [Wallets, Balances],
})
export class ConsensusWalletModule {}
// #endregion
