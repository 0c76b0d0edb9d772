import { Balances } from './balances.js';
import { Wallets } from './quick-start.js';
// #region postgres
import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { CasBackend } from 'nestjs-locked/cas';
import { PostgresStore } from 'nestjs-locked/cas/postgres';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => {
        const store = new PostgresStore({ url: process.env['DATABASE_URL']!, createTable: true });
        return { backend: new CasBackend({ store }) };
      },
    }),
  ],
  providers: [Wallets, Balances],
})
export class StoredWalletModule {}
// #endregion
