import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type Lock, LockBackendError, type LockManager } from '../../lib/core/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { startRedisProxy } from '../support/redis-proxy.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { LockManagers } from './lock-managers.js';

const LEASE_MS = 1_500;

describeOnRedis('a connection is half open: what goes along is lost, and nobody is told', () => {
  const managers = new LockManagers();
  let server: RedisServer;
  let proxy: TcpProxy;
  let far: LockManager;
  let near: LockManager;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    proxy = await startRedisProxy(server);
    far = managers.open({ via: proxy, commandTimeoutMs: 300, leaseMs: LEASE_MS, waitMs: 30_000 });
    near = managers.open({ via: server, leaseMs: LEASE_MS, waitMs: 30_000 });
  });
  afterEach(async () => {
    proxy.toServer.pass();
    proxy.toClient.pass();
    await managers.close();
    proxy.close();
  });

  it.each(['toServer', 'toClient'] as const)(
    'that of a holder, %s: it knows that its lock is lost before the next one gets in',
    async (direction) => {
      const lock = await far.acquire('a');
      const order: string[] = [];
      lock.signal.addEventListener('abort', () => order.push(lock.signal.reason.reason));
      proxy[direction].blackHole();
      const cutAt = performance.now();
      const waiting = near.acquire('a');
      // Whoever asks clears those away whose lease has ended; and nobody earlier.
      const asking = new AbortController();
      const asked = askAgainAndAgain(asking.signal);
      const next = await waiting;
      order.push(`next, the first is ${lock.held ? 'held' : 'not held'}`);
      asking.abort();
      expect((await asked).every((lock) => lock === null)).toBe(true);
      expect(order).toEqual(['lease-ended', 'next, the first is not held']);
      expect(performance.now() - cutAt).toBeLessThan(2 * LEASE_MS + 3_000);
      expect(next.fencingToken > lock.fencingToken).toBe(true);
      expect(await lock.release()).toBe(false);
      expect(next.held).toBe(true);
      expect(await next.release()).toBe(true);
    },
  );

  async function askAgainAndAgain(signal: AbortSignal): Promise<(Lock | null)[]> {
    const passerBy = managers.open({ via: server });
    const answers: (Lock | null)[] = [];
    while (!signal.aborted) {
      answers.push(await passerBy.tryAcquire('a'));
      await sleep(10);
    }
    return answers;
  }

  it.each([
    { what: 'the news that it is in', directions: ['toClient'] as const },
    { what: 'the news, and its next question', directions: ['toClient', 'toServer'] as const },
  ])('that of a waiter, and $what is lost: it gets in once the network is whole', async ({ directions }) => {
    const first = await near.acquire('a', { leaseMs: 30_000 });
    const waiting = far.acquire('a');
    await until('it waits', async () => (await near.inspect('a')).waiters.length === 1);
    for (const direction of directions) proxy[direction].blackHole();
    await first.release();
    for (const direction of directions) await until('something is lost', () => proxy[direction].swallowed > 0);
    // New connections get through. The old one will never again, and nobody tells.
    for (const direction of directions) proxy[direction].pass();
    const lock = await waiting;
    expect((await near.inspect('a')).holders).toHaveLength(1);
    expect(await near.tryAcquire('a')).toBeNull();
    expect(await lock.release()).toBe(true);
  });

  it('that of one that tries: it is told in bounded time that Redis could not be asked', async () => {
    await (await far.acquire('a')).release();
    proxy.toServer.blackHole();
    const startedAt = performance.now();
    await expect(far.tryAcquire('a', { leaseMs: 30_000 })).rejects.toBeInstanceOf(LockBackendError);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(await near.tryAcquire('a')).not.toBeNull();
  });
});
