import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { type LockManager } from '../../lib/core/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { LockManagers } from './lock-managers.js';

jest.setTimeout(30_000);

/** Far longer than anything takes here. */
const RETAIN_MS = 10_000;
const SOON_MS = 1_000;

describeOnRedis('a lock that is retained on Redis', () => {
  const managers = new LockManagers();
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());
  afterEach(() => managers.close());

  /** As another process would be, with its connections up. */
  async function connected(options: { readonly retainMs?: number } = {}): Promise<LockManager> {
    const manager = managers.open({ via: server, leaseMs: 30_000, ...options });
    await (await manager.acquire('warm-up', { mode: 'shared' })).release();
    return manager;
  }

  it('is another process’s as soon as that one waits for it, over and over', async () => {
    const both = [await connected({ retainMs: RETAIN_MS }), await connected({ retainMs: RETAIN_MS })];
    const waits: number[] = [];
    let last = 0n;
    for (let turn = 0; turn < 20; turn += 1) {
      const lock = await both[turn % 2]!.acquire('wanted');
      expect(lock.fencingToken).toBeGreaterThan(last);
      last = lock.fencingToken;
      waits.push(lock.waitedMs);
      await lock.release();
      expect((await both[turn % 2]!.inspect('wanted')).holders).toHaveLength(1);
    }
    expect(Math.max(...waits)).toBeLessThan(SOON_MS);
  });

  it('is another process’s soon after that one has tried once', async () => {
    const [one, two] = [await connected({ retainMs: RETAIN_MS }), await connected()];
    await (await one.acquire('tried')).release();
    const startedAt = performance.now();
    const lock = await until('a try gets in', async () => (await two.tryAcquire('tried')) ?? false, SOON_MS);
    expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
    await lock.release();
  });

  it('leaves at once with its process', async () => {
    const one = await connected({ retainMs: RETAIN_MS });
    const two = await connected();
    await (await one.acquire('left')).release();
    await one.close();
    expect(await two.tryAcquire('left')).not.toBeNull();
  });
});
