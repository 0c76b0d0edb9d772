import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type Lock, type LockManager } from '../../lib/core/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type SentinelSetUp, startRedisSentinel } from '../support/redis-sentinel.js';
import { until } from '../support/redis-until.js';
import { GuardedResource } from './guarded-resource.js';
import { LockManagers } from './lock-managers.js';

describeOnRedis('a failover of Sentinel that forgets the last writes', () => {
  const managers = new LockManagers();
  let setUp: SentinelSetUp;

  beforeAll(async () => {
    setUp = await startRedisSentinel();
  });
  afterAll(() => setUp.stop());
  afterEach(() => managers.close());

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
    expect(lock.held).toBe(true);

    const next = await third.acquire('a');
    expect(next.fencingToken > lock.fencingToken).toBe(true);
    expect(resource.admits(next.fencingToken)).toBe(true);
    expect(resource.admits(lock.fencingToken)).toBe(false);

    await until('the first knows that its lock is lost', () => lock.signal.aborted);
    expect(next.held).toBe(true);
    expect(await lock.release()).toBe(false);
    expect(await next.release()).toBe(true);
  });

  function open(): LockManager {
    return managers.open({ via: { options: setUp.options }, leaseMs: 5_000, waitMs: 40_000 });
  }
});
