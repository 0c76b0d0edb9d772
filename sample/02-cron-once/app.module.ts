import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { LockModule } from 'nestjs-locked';
import { RedisBackend } from 'nestjs-locked/redis';
import { Reports } from './reports.js';

@Module({
  imports: [
    ScheduleModule.forRoot(),
    LockModule.forRootAsync({
      useFactory: () => ({ backend: new RedisBackend({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' }) }),
    }),
  ],
  providers: [Reports],
})
export class AppModule {}
