import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Locked } from 'nestjs-locked';

/** The invoices of a customer have numbers without a gap, and no two have the same. */
@Injectable()
export class Invoices implements OnApplicationShutdown {
  private readonly redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');

  /** Resolves to the number of the new invoice. */
  @Locked((customer: string) => `invoices:${customer}`, { waitMs: 0 })
  async write(customer: string): Promise<number> {
    const number = Number(await this.redis.get(`invoices:${customer}:last`)) + 1;
    await this.redis.hset(`invoices:${customer}`, number, `Invoice ${number} to ${customer}`);
    await this.redis.set(`invoices:${customer}:last`, number);
    return number;
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}
