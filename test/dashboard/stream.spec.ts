import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Lock, LockModule, LockService, getLockServiceToken } from 'nestjs-locked';
import { LockDashboardModule } from 'nestjs-locked/dashboard';
import { MemoryBackend } from 'nestjs-locked/memory';
import { type Place } from 'nestjs-locked';
import { run } from './applications.js';
import { FrameStream } from './stream.js';

const streams: FrameStream[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});

async function watch(url: string, query = ''): Promise<FrameStream> {
  const stream = await FrameStream.open(`${url}/locks/events?${query}`);
  streams.push(stream);
  return stream;
}

describe('the stream of the page', () => {
  it('tells everything once, then only what has changed', async () => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] });
    const locks = app.get(LockService);
    const lock = await locks.acquire('a', { site: 'Shop.sell' });
    await locks.acquire('b');
    const stream = await watch(url, 'service=default&key=a');
    const first = await stream.frame('the first', () => true);
    expect(first.order).toEqual(['["default","a"]', '["default","b"]']);
    expect(first.rows).toMatchObject([
      { key: 'a', holders: 1, waiters: 0, first: { owner: { site: 'Shop.sell' } } },
      { key: 'b' },
    ]);
    expect(first.line).toMatchObject({
      holders: [{ position: 1, token: String(lock.fencingToken), slots: 1 }],
      waiters: [],
    });
    expect(first.services).toEqual([{ name: 'default', backend: 'memory' }]);

    const waiting = locks.acquire('a', { mode: 'shared' });
    const changed = await stream.frame('somebody waits', ({ rows }) => rows?.[0]?.waiters === 1);
    expect(changed.rows).toHaveLength(1);
    expect(changed.services).toBeUndefined();
    expect(changed.listing).toBeUndefined();
    await lock.release();
    await waiting;
    const later = await stream.frame('the span has ended', ({ spans }) => spans?.[0]?.end === 'released');
    expect(later.order).toBeUndefined();
    await sleep(1_500);
    expect(Object.keys(stream.frames.at(-1)!)).toEqual(['at']);
  });

  it('goes page by page through the keys that begin with the prefix', async () => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] });
    const locks = app.get(LockService);
    for (let number = 100; number < 220; number += 1) await locks.acquire(`order:${number}`);
    await locks.acquire('other');
    const stream = await watch(url, 'prefix=order:&page=2');
    const { listing, rows } = await stream.frame('the first', () => true);
    expect(listing).toEqual({ total: 120, page: 2, pages: 3, isCut: false });
    expect(rows!.map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, index) => `order:${200 + index}`));
    const beyond = await watch(url, 'prefix=order:1&page=9');
    expect((await beyond.frame('the first', () => true)).listing).toMatchObject({ total: 100, page: 1, pages: 2 });
  });

  it('shows the locks of one service though another cannot be asked', async () => {
    class DeafBackend extends MemoryBackend {
      override async inspect(): Promise<readonly Place[]> {
        throw new Error('nobody listens');
      }

      override list(): AsyncIterable<string> {
        throw new Error('nobody listens');
      }
    }
    const { app, url } = await run({
      imports: [
        LockModule.forRoot(),
        LockModule.forRoot({ name: 'deaf', backend: new DeafBackend() }),
        LockDashboardModule.forRoot(),
      ],
    });
    await app.get(LockService).acquire('a');
    await app.get<LockService>(getLockServiceToken('deaf')).acquire('b');
    const stream = await watch(url);
    const { services, rows } = await stream.frame('the first', () => true);
    expect(services).toMatchObject([
      { name: 'default' },
      { name: 'deaf', problem: expect.stringContaining('nobody listens') },
    ]);
    expect(rows!.map(({ key }) => key)).toEqual(['a']);
  });

  it('takes less than 50 kB/s with 10,000 keys, held or changing hands', async () => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] });
    const locks = app.get(LockService);
    const held: Lock[] = [];
    for (let number = 0; number < 10_000; number += 1) held.push(await locks.acquire(`key:${number}`));
    const rate = async (work: () => Promise<void>): Promise<number> => {
      const stream = await watch(url, 'service=default&key=key:0');
      await stream.frame('the first', () => true);
      const [bytes, startedAt] = [stream.bytes, performance.now()];
      while (performance.now() - startedAt < 8_000) await work();
      const perSecond = ((stream.bytes - bytes) / (performance.now() - startedAt)) * 1_000;
      stream.close();
      return perSecond;
    };
    const asTheyAre = await rate(() => sleep(50));
    // What is on the page changes hands all the time, and so does what is looked at closely.
    const changing = await rate(async () => {
      for (let number = 0; number < 60; number += 1) {
        await held[number]!.release();
        held[number] = await locks.acquire(`key:${number}`);
      }
      await sleep(5);
    });
    process.stdout.write(
      `bytes/s with 10,000 keys: ${asTheyAre.toFixed()} as they are, ${changing.toFixed()} changing hands\n`,
    );
    expect(asTheyAre).toBeLessThan(50_000);
    expect(changing).toBeLessThan(50_000);
    expect(changing).toBeGreaterThan(asTheyAre);
  });
});
