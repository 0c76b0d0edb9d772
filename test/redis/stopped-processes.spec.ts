import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { LockBackendError } from '../../lib/core/index.js';
import { LockOwner } from '../support/lock-owner.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { LockManagers } from './lock-managers.js';

const LEASE_MS = 1_000;

describeOnRedis('a process is stopped (SIGSTOP)', () => {
  const managers = new LockManagers();
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    server.resume();
    await managers.close();
  });

  it.each([
    { who: 'one that has asked for locks before', goes: false },
    // It knows nothing of the server's clock, by which the server refuses what comes too late.
    { who: 'one that asks for its first lock', goes: false },
    { who: 'one that has asked before, and is gone when Redis is back', goes: true },
  ])('Redis, and $who: it is told soon that Redis could not be asked, and is no ghost later', async ({ who, goes }) => {
    const manager = managers.open({ via: server, commandTimeoutMs: 300, leaseMs: 60_000 });
    if (who.includes('first')) await manager.inspect('a');
    else await (await manager.acquire('a')).release();
    server.pause();
    const startedAt = performance.now();
    const tries = await Promise.all(
      Array.from({ length: 5 }, () => manager.tryAcquire('a').catch((error: unknown) => error)),
    );
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(tries.every((error) => error instanceof LockBackendError)).toBe(true);
    if (goes) await manager.close();
    server.resume();

    // The lease would keep a ghost for a minute.
    const lock = await managers.open({ via: server }).acquire('a', { waitMs: 10_000 });
    expect(await lock.release()).toBe(true);
    await until('nothing is left', async () => (await server.admin.keys('*:line:a')).length === 0);
  });

  it('Redis, and one waits longer than that: it gets in when Redis is back, with one place in line', async () => {
    const options = { via: server, commandTimeoutMs: 300, leaseMs: 30_000, waitMs: 30_000 };
    const holder = managers.open(options);
    const waiter = managers.open(options);
    const first = await holder.acquire('a');
    const second = waiter.acquire('a');
    await until('it waits', async () => (await holder.inspect('a')).waiters.length === 1);
    server.pause();
    const releasing = first.release();
    await sleep(1_000);
    server.resume();
    await releasing;
    const lock = await second;
    // The other two may still be pausing before they connect again.
    const { holders, waiters } = await managers.open({ via: server }).inspect('a');
    expect([holders.length, waiters.length]).toEqual([1, 0]);
    expect(await lock.release()).toBe(true);
  });

  it('a holder, for three leases: the next one gets in, and the first sees its loss before it does anything else', async () => {
    const owner = await LockOwner.start({ address: { kind: 'redis', port: server.port }, key: 'a', leaseMs: LEASE_MS });
    try {
      const token = await owner.acquires();
      await until('it looks at its lock', () => owner.looks.length > 0);
      expect(owner.looks.every(({ held }) => held)).toBe(true);

      const manager = managers.open({ via: server });
      owner.pause();
      const stoppedAt = performance.now();
      const lock = await manager.acquire('a', { waitMs: 20_000 });
      expect(lock.fencingToken > token).toBe(true);
      await until('three leases are over', () => performance.now() - stoppedAt > 3 * LEASE_MS);

      const looks = await owner.resume();
      expect(looks.filter(({ held, aborted }) => held || !aborted)).toEqual([]);
      expect(owner.events).toContain('lost');
      // Nor does what the first one does then touch the lock of the second.
      expect(await owner.releases()).toBe(false);
      expect(lock.held).toBe(true);
      expect(await lock.release()).toBe(true);
    } finally {
      await owner.stop();
    }
  });
});
