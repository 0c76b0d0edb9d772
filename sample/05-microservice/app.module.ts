import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { RedisBackend } from 'nestjs-locked/redis';
import { Stock } from './stock.js';
import { StockController } from './stock.controller.js';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => ({ backend: new RedisBackend({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' }) }),
    }),
  ],
  controllers: [StockController],
  providers: [Stock],
})
export class AppModule {}
