import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';

/** How many pieces there are of each item. A read and a write, and between the two anybody else may come. */
@Injectable()
export class Stock implements OnApplicationShutdown {
  private readonly redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');

  async read(item: string): Promise<number> {
    return Number(await this.redis.get(`stock:${item}`));
  }

  async write(item: string, pieces: number): Promise<void> {
    await this.redis.set(`stock:${item}`, pieces);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}
