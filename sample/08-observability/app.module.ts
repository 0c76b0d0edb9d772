import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { LockModule } from 'nestjs-locked';
import { LockTelemetryModule } from 'nestjs-locked/opentelemetry';
import { RedisBackend } from 'nestjs-locked/redis';
import { LockHealthIndicator } from 'nestjs-locked/terminus';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { OrdersController } from './orders.controller.js';
import { Orders } from './orders.js';
import { Tally } from './tally.js';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => ({ backend: new RedisBackend({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' }) }),
    }),
    LockTelemetryModule.forRoot(),
    TerminusModule,
  ],
  controllers: [OrdersController, MetricsController, HealthController],
  providers: [Orders, Tally, LockHealthIndicator],
})
export class AppModule {}
