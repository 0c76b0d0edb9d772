import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MovableClock } from '../support/movable-clock.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { SampleProcess } from './sample-process.js';

const TICK_MS = 10_000;
const TICKS = 60;

/** One behind the other, in ms. */
const CLOCKS = [0, -2_000];

describeOnRedis('sample 02-cron-once, as two replicas whose clocks are 2 s apart', () => {
  const clocks: MovableClock[] = [];
  const replicas: SampleProcess[] = [];
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedisServer();
    for (const _ of CLOCKS) clocks.push(new MovableClock({ monotonic: true }));
    forwardTo(Date.now());
    const tellTime = join(import.meta.dirname, 'tell-time.mjs');
    const started = clocks.map(({ env }) =>
      SampleProcess.start('02-cron-once', { ...env, REDIS_URL: redis.url }, [tellTime]),
    );
    replicas.push(...(await Promise.all(started)));
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    for (const clock of clocks) clock.remove();
    await redis?.stop();
  });

  it('runs a job with minHoldMs exactly once at each of 60 ticks, and one without it again', async () => {
    const start = Math.ceil(Date.now() / 1_000) * 1_000;
    const first = Math.ceil(start / TICK_MS + 0.5) * TICK_MS;
    const ticks = Array.from({ length: TICKS }, (_, n) => first + n * TICK_MS);
    for (let time = start + 1_000; time < ticks.at(-1)! + TICK_MS; time += 1_000) await passUntil(time);

    expect(ticks.map((tick) => runsOf('once', tick))).toEqual(ticks.map(() => 1));
    for (const job of ['apart', 'everywhere']) {
      expect([job, Math.max(...ticks.map((tick) => runsOf(job, tick)))]).toEqual([job, 2]);
    }
    expect(replicas.flatMap(({ lines }) => lines).filter((line) => !/^(ready|\w+: the report)/.test(line))).toEqual([]);
  });

  /** Time passes: what is due rings, in both replicas, and what that asks of Redis is answered. */
  async function passUntil(time: number): Promise<void> {
    forwardTo(time);
    // Twice: what an answer of Redis leads to may ask something itself.
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(replicas.map((replica) => replica.ask('time')));
      await redis.admin.ping();
    }
    await Promise.all(replicas.map((replica) => replica.ask('time')));
  }

  function forwardTo(time: number): void {
    const now = Date.now();
    for (const [index, clock] of clocks.entries()) clock.move((time + CLOCKS[index]! - now) / 1_000);
  }

  function runsOf(job: string, tick: number): number {
    const line = `${job}: the report of ${new Date(tick).toISOString()}`;
    return replicas.flatMap(({ lines }) => lines).filter((each) => each === line).length;
  }
});
