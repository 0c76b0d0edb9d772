import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Lock, type LockManager } from '../../lib/core/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type SentinelSetUp, startRedisSentinel } from '../support/redis-sentinel.js';
import { until } from '../support/until.js';
import { GuardedResource } from '../support/guarded-resource.js';
import { LockManagers } from './lock-managers.js';

describeOnRedis('a failover of Sentinel that forgets the last writes', () => {
  const managers = new LockManagers();
  let setUp: SentinelSetUp;

  beforeEach(async () => {
    setUp = await startRedisSentinel();
  });
  afterEach(async () => {
    await managers.close();
    await setUp.stop();
  });

  it('lets a second holder in, whose token is larger: nothing that the first writes then is accepted', async () => {
    const [first, second, third] = [1, 2, 3].map(open) as [LockManager, LockManager, LockManager];
    const resource = new GuardedResource();
    const before = await first.acquire('a');
    resource.admits(before.fencingToken);
    await before.release();
    expect(await setUp.master.admin.wait(1, 10_000)).toBe(1);

    const locks: Lock[] = [];
    await setUp.failover(async () => {
      // Holders that the new master has never heard of, with tokens beyond the last it knows.
      for (let round = 0; round < 5; round += 1) await (await second.acquire('a')).release();
      locks.push(await first.acquire('a'));
      expect(resource.admits(locks[0]!.fencingToken)).toBe(true);
    });
    const lock = locks[0]!;
    const next = await third.acquire('a');
    expect(next.fencingToken > lock.fencingToken).toBe(true);
    expect(resource.admits(next.fencingToken)).toBe(true);
    expect(resource.admits(lock.fencingToken)).toBe(false);

    await until('the first knows that its lock is lost', () => lock.signal.aborted);
    expect(next.held).toBe(true);
    expect(await lock.release()).toBe(false);
    expect(await next.release()).toBe(true);
  });

  it('comes while processes take turns: they go on, and what they guard loses no update', async () => {
    const resource = new GuardedResource();
    const over = new AbortController();
    const callers = [1, 2].flatMap(() => {
      const manager = open();
      return [1, 2, 3].map(() => manager);
    });
    const everybody = Promise.all(callers.map((manager) => takeTurns(manager)));
    everybody.catch(() => over.abort());
    try {
      await someAreAccepted();
      await setUp.failover(someAreAccepted);
      await someAreAccepted();
    } finally {
      over.abort();
    }
    await everybody;
    expect(resource.counter).toBe(resource.accepted);
    expect(new Set(resource.tokens).size).toBe(resource.visits);
    expect(resource.refused).toBeLessThanOrEqual(callers.length);

    async function takeTurns(manager: LockManager): Promise<void> {
      while (!over.signal.aborted) await manager.run('a', { onLost: 'ignore' }, (lock) => resource.visit(lock));
    }

    function someAreAccepted(): Promise<unknown> {
      const { accepted } = resource;
      return until('some are accepted', () => resource.accepted > accepted + 10);
    }
  });

  function open(): LockManager {
    return managers.open({ via: { options: setUp.options }, leaseMs: 5_000, waitMs: 40_000 });
  }
});
