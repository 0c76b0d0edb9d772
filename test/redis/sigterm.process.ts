import 'reflect-metadata';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Injectable, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Locked, LockModule, LockService } from '../../lib/index.js';
import { RedisBackend } from '../../lib/redis/index.js';

/** What the application says to who started it. */
export type Said =
  | { readonly url: string }
  /** The requests that it was handling when the signal came. */
  | { readonly inFlight: readonly string[] };

export interface Settings {
  readonly redis: string;
  readonly drainMs: number;
}

const { redis, drainMs } = JSON.parse(process.argv[2]!) as Settings;
const inFlight = new Set<string>();
const say = (said: Said): boolean => process.send!(said);

@Injectable()
class Work {
  @Locked((key: string) => key)
  async during(_key: string, ms: number): Promise<string> {
    await sleep(ms);
    return 'done';
  }

  @Locked((key: string) => key)
  async untilLost(_key: string): Promise<void> {
    await once(LockService.current()!.signal, 'abort');
  }
}

@Controller()
class WorkController {
  constructor(
    private readonly work: Work,
    private readonly locks: LockService,
  ) {}

  @Get('during/:ms/:key/:id')
  async during(@Param('id') id: string, @Param('key') key: string, @Param('ms') ms: string): Promise<string> {
    inFlight.add(id);
    try {
      return await this.work.during(key, Number(ms));
    } finally {
      inFlight.delete(id);
    }
  }

  @Get('in-flight')
  inFlight(): string[] {
    return [...inFlight];
  }

  @Get('forgotten/:key')
  async forget(@Param('key') key: string): Promise<void> {
    await this.locks.acquire(key, { leaseMs: 60_000 });
  }

  @Get('until-lost/:key')
  untilLost(@Param('key') key: string): Promise<void> {
    return this.work.untilLost(key);
  }
}

const backend = new RedisBackend({ url: redis, onWarning: () => undefined });

@Module({
  imports: [LockModule.forRoot({ backend, drainMs })],
  controllers: [WorkController],
  providers: [Work],
})
class WorkModule {}

process.once('SIGTERM', () => say({ inFlight: [...inFlight] }));
const app = await NestFactory.create(WorkModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
say({ url: await app.getUrl() });
