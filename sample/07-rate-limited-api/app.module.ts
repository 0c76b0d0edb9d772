import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { RedisBackend } from 'nestjs-locked/redis';
import { QuotesController } from './quotes.controller.js';
import { Quotes } from './quotes.js';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => ({ backend: new RedisBackend({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' }) }),
    }),
  ],
  controllers: [QuotesController],
  providers: [Quotes],
})
export class AppModule {}
