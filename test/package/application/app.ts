import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Injectable, Module, Post, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Lock, type LockBackend, Locked, LockInterceptor, LockModule, LockService } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';

/** Copied into applications that have installed the package, where their own compilers take it for a file of theirs. */
@Injectable()
class Shop {
  most = 0;
  private inside = 0;

  @Locked('shop')
  sell(): Promise<void> {
    return this.alone();
  }

  async alone(): Promise<void> {
    this.most = Math.max(this.most, (this.inside += 1));
    await sleep(2);
    this.inside -= 1;
  }

  @Locked((_id: number) => 'busy', { waitMs: 0 })
  async serve(id: number): Promise<number> {
    return id;
  }
}

@Controller()
class ShopController {
  constructor(
    private readonly shop: Shop,
    private readonly locks: LockService,
  ) {}

  @Post('decorator')
  decorator(): Promise<void> {
    return this.shop.sell();
  }

  @Post('interceptor')
  @UseInterceptors(LockInterceptor('shop'))
  interceptor(): Promise<void> {
    return this.shop.alone();
  }

  @Post('service')
  async service(): Promise<string> {
    return this.locks.run('shop', async (lock: Lock) => {
      const token: bigint = lock.fencingToken;
      await this.shop.alone();
      return String(token);
    });
  }

  @Get('busy')
  async busy(): Promise<number> {
    return this.shop.serve(1);
  }
}

const backend: LockBackend = new MemoryBackend();

@Module({ imports: [LockModule.forRoot({ backend })], controllers: [ShopController], providers: [Shop] })
class AppModule {}

/** What the compiler has to refuse. */
export function mistakes(locks: LockService): void {
  // @ts-expect-error a key is a string
  void locks.run(42, () => undefined);

  class Mistake {
    // @ts-expect-error only what can wait can be locked
    @Locked('key')
    atOnce(): number {
      return 1;
    }

    // @ts-expect-error a key is made of the method's own arguments
    @Locked((id: number) => `key:${id}`)
    async other(id: string): Promise<string> {
      return id;
    }

    // @ts-expect-error there is no such option
    @Locked('key', { waitMS: 1 })
    async misspelt(): Promise<void> {}
  }
  void Mistake;
}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const send = (path: string): Promise<Response> =>
    fetch(`${url}/${path}`, { method: 'POST', signal: AbortSignal.timeout(20_000) });
  const paths = ['decorator', 'interceptor', 'service'];
  const responses = await Promise.all(Array.from({ length: 12 }, (_, n) => send(paths[n % paths.length]!)));

  const lock = await app.get(LockService).acquire('busy');
  const busy = await fetch(`${url}/busy`);
  await lock.release();
  const free = await fetch(`${url}/busy`);
  await app.close();
  const statuses = [...new Set(responses.map(({ status }) => status))];
  console.log(JSON.stringify({ statuses, most: app.get(Shop).most, busy: busy.status, free: free.status }));
}

void main();
