import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type LockManager } from '../../lib/core/index.js';
import { LockOwner } from '../support/lock-owner.js';
import { MovableClock } from '../support/movable-clock.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { LockManagers } from './lock-managers.js';

const HOUR_S = 3_600;
const LEASE_MS = 1_000;

describeOnRedis('the wall clock of a process is set', () => {
  const managers = new LockManagers();
  let clock: MovableClock;
  let server: RedisServer;
  let owner: LockOwner;
  let other: LockManager;

  beforeAll(async () => {
    clock = new MovableClock();
    server = await startRedisServer();
    owner = await LockOwner.start(
      { address: { kind: 'redis', port: server.port }, key: 'a', leaseMs: LEASE_MS },
      clock.env,
    );
  });
  afterAll(async () => {
    await owner?.stop();
    await server?.stop();
    clock?.remove();
  });
  beforeEach(() => {
    clock.move(0);
    other = managers.open({ via: server, leaseMs: LEASE_MS, waitMs: 30_000 });
  });
  afterEach(() => managers.close());

  const jumps = [
    { where: 'an hour forward', offset: HOUR_S },
    { where: 'an hour back', offset: -HOUR_S },
  ];

  it.each(jumps)('$where, while it holds a lock: the lock stays its own', async ({ offset }) => {
    await owner.acquires();
    clock.move(offset);
    await until('its clock is set', () => {
      const [look] = owner.looks.slice(-1);
      return look !== undefined && Math.abs(look.wall - Date.now() - offset * 1_000) < (HOUR_S / 10) * 1_000;
    });
    const since = performance.now();
    while (performance.now() - since < 2.5 * LEASE_MS) {
      expect(await other.tryAcquire('a')).toBeNull();
      await sleep(10);
    }
    // It has doubts only until Redis has confirmed the lock.
    await until('it has no doubts', () => owner.looks.slice(-5).every(({ held }) => held));
    expect(owner.looks.filter(({ aborted }) => aborted)).toEqual([]);
    expect(owner.events).not.toContain('lost');
    expect(await owner.releases()).toBe(true);
    expect(await (await other.acquire('a')).release()).toBe(true);
  });

  it.each(jumps)('$where, while it waits: it stays in line, and gets in when it is its turn', async ({ offset }) => {
    const first = await other.acquire('a');
    const acquiring = owner.acquires();
    await until('it waits', async () => (await other.inspect('a')).waiters.length === 1);
    const { waiters } = await other.inspect('a');
    clock.move(offset);
    await sleep(2.5 * LEASE_MS);
    expect((await other.inspect('a')).waiters.map(({ fencingToken }) => fencingToken)).toEqual(
      waiters.map(({ fencingToken }) => fencingToken),
    );
    expect(first.held).toBe(true);
    expect(await first.release()).toBe(true);
    expect((await acquiring) > first.fencingToken).toBe(true);
    await until('it looks', () => owner.looks.length > 5);
    expect(await other.tryAcquire('a')).toBeNull();
    expect(owner.events).not.toContain('lost');
    expect(await owner.releases()).toBe(true);
  });
});
