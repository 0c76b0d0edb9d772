import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { CasBackend } from 'nestjs-locked/cas';
import { PostgresStore } from 'nestjs-locked/cas/postgres';
import { Pool } from 'pg';
import { PaymentsController } from './payments.controller.js';
import { Payments } from './payments.js';
import { RiskCheck } from './risk-check.js';

const url = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1/postgres';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => ({
        backend: new CasBackend({ store: new PostgresStore({ url, createTable: true }) }),
        // For so long a replica that stands still keeps the others off an account.
        leaseMs: 3_000,
      }),
    }),
  ],
  controllers: [PaymentsController],
  providers: [Payments, RiskCheck, { provide: Pool, useFactory: () => new Pool({ connectionString: url }) }],
})
export class AppModule {}
