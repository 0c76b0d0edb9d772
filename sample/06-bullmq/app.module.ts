import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { RedisBackend } from 'nestjs-locked/redis';
import { InvoiceProcessor } from './invoice.processor.js';
import { Invoices } from './invoices.js';

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

@Module({
  imports: [
    BullModule.forRoot({ connection: { url } }),
    BullModule.registerQueue({ name: 'invoices' }),
    LockModule.forRootAsync({ useFactory: () => ({ backend: new RedisBackend({ url }) }) }),
  ],
  providers: [InvoiceProcessor, Invoices],
})
export class AppModule {}
