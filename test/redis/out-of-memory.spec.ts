import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { LockBackendError, type LockManager } from '../../lib/core/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { startRedisProxy } from '../support/redis-proxy.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { LockManagers } from './lock-managers.js';

describeOnRedis('Redis is out of memory, and may evict nothing', () => {
  const managers = new LockManagers();
  let server: RedisServer;
  let first: LockManager;
  let second: LockManager;

  beforeAll(async () => {
    server = await startRedisServer({ config: { 'maxmemory-policy': 'noeviction' } });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.admin.config('SET', 'maxmemory', 0);
    [first, second] = [1, 2].map(() => managers.open({ via: server, leaseMs: 3_000, waitMs: 30_000 })) as [
      LockManager,
      LockManager,
    ];
  });
  afterEach(() => managers.close());

  async function runOutOfMemory(): Promise<void> {
    await server.admin.config('SET', 'maxmemory', 1);
    await expect(server.admin.set('more', 'than there is')).rejects.toThrow('OOM');
  }

  it('a lock is renewed, and released', async () => {
    const lock = await first.acquire('a');
    await runOutOfMemory();
    const { remainingMs } = lock;
    const since = performance.now();
    await until('a lease and more is over', () => performance.now() - since > 3_500);
    expect([lock.held, lock.signal.aborted]).toEqual([true, false]);
    expect(remainingMs).toBeLessThanOrEqual(3_000);
    expect(await lock.release()).toBe(true);
    expect((await first.inspect('a')).holders).toEqual([]);
  });

  it('a lock is handed to the next one, and to the one after it', async () => {
    const lock = await first.acquire('a', { leaseMs: 30_000 });
    const waiting = second.acquire('a', { leaseMs: 30_000 });
    await until('the second waits', async () => (await first.inspect('a')).waiters.length === 1);
    const third = managers.open({ via: server, leaseMs: 30_000, waitMs: 30_000 });
    const last = third.acquire('a');
    await until('the third waits', async () => (await first.inspect('a')).waiters.length === 2);
    await runOutOfMemory();

    expect(await lock.release()).toBe(true);
    const next = await waiting;
    expect(await next.release()).toBe(true);
    expect(await (await last).release()).toBe(true);
    expect(await server.admin.keys('*:line:*')).toEqual([]);
  });

  it('a lock of one that is dead goes to the one that waits', async () => {
    const proxy = await startRedisProxy(server);
    try {
      const dead = await managers.open({ via: proxy, leaseMs: 1_000 }).acquire('a');
      const waiting = second.acquire('a');
      await until('the second waits', async () => (await second.inspect('a')).waiters.length === 1);
      await runOutOfMemory();
      proxy.toServer.blackHole();
      const lock = await waiting;
      expect(dead.held).toBe(false);
      expect(await lock.release()).toBe(true);
    } finally {
      proxy.toServer.pass();
      await managers.close();
      proxy.close();
    }
  });

  it('a new claim is refused at once, and it is told why; it is taken when there is memory again', async () => {
    await (await second.acquire('b')).release();
    await runOutOfMemory();
    for (const ask of [() => first.acquire('a'), () => first.tryAcquire('a')]) {
      const startedAt = performance.now();
      const error = await ask().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(LockBackendError);
      expect((error as Error).message).toMatch(/"a": .*out of memory/);
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    }
    await server.admin.config('SET', 'maxmemory', 0);
    expect(await (await first.acquire('a')).release()).toBe(true);
  });
});
