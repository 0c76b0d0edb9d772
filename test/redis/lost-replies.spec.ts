import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { LockBackendError, type LockManager } from '../../lib/core/index.js';
import { loadScripts, type Verb } from '../../lib/redis/redis.scripts.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { runs, startRedisProxy } from '../support/redis-proxy.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { LockManagers } from './lock-managers.js';

describeOnRedis('the connection breaks after Redis did what it was asked, before it answers', () => {
  const scripts = loadScripts();
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
    // Strict: every caller has a claim of its own.
    far = managers.open({ via: proxy, leaseMs: 30_000, waitMs: 20_000, localHandOffs: 0 });
    near = managers.open({ via: server, leaseMs: 30_000, waitMs: 20_000, localHandOffs: 0 });
    // Connected, and the server has the scripts: from now on a script that is lost is lost after it ran.
    for (const manager of [far, near]) await (await manager.acquire('warm')).release();
  });
  afterEach(async () => {
    await managers.close();
    proxy.close();
    await server.admin.flushall();
  });

  function loseReplies(verb: Verb, times = 1): void {
    proxy.dropRepliesThenReset(runs(scripts[verb]), times);
  }

  /** How many claims stand in line. */
  async function inLine(key: string): Promise<number> {
    const { holders, waiters } = await near.inspect(key);
    return holders.length + waiters.length;
  }

  it.each([1, 3])('%d × to one that waits: it holds the lock, once, and knows its token', async (times) => {
    loseReplies('attempt', times);
    const lock = await far.acquire('a');
    expect(proxy.repliesLost).toBe(times);
    const { holders, waiters } = await near.inspect('a');
    expect([holders.length, waiters.length]).toEqual([1, 0]);
    // Strict: no hand-offs in it.
    expect(lock.fencingToken).toBe(holders[0]!.fencingToken);

    expect(await lock.release()).toBe(true);
    expect(await inLine('a')).toBe(0);
  });

  it('to one that tries: it is told that Redis could not be asked, and nothing stays in line', async () => {
    for (let round = 0; round < 10; round += 1) {
      loseReplies('attempt');
      const error = await far.tryAcquire('a').catch((error: unknown) => error);
      expect(error).toBeInstanceOf(LockBackendError);
      expect(proxy.repliesLost).toBe(round + 1);
      await until('nothing is in line', async () => (await inLine('a')) === 0, 1_000);
    }
  });

  it('to one that tries, and tries again at once: its own ghost is not in its way', async () => {
    for (let round = 0; round < 10; round += 1) {
      loseReplies('attempt');
      await expect(far.tryAcquire('a')).rejects.toBeInstanceOf(LockBackendError);
      const lock = await far.tryAcquire('a');
      expect(lock).not.toBeNull();
      expect(await lock!.release()).toBe(true);
    }
    expect(proxy.repliesLost).toBe(10);
  });

  it('to one that queues: it has one place in line, and comes in when it is its turn', async () => {
    const first = await near.acquire('a');
    loseReplies('attempt');
    const second = far.acquire('a');
    await until('the reply is lost', () => proxy.repliesLost === 1);
    const third = near.acquire('a');
    await until('all are in line', async () => (await inLine('a')) === 3);
    await first.release();
    const lock = await second;
    expect(await inLine('a')).toBe(2);
    await lock.release();
    const last = await third;
    expect(first.fencingToken < lock.fencingToken && lock.fencingToken < last.fencingToken).toBe(true);
    await last.release();
  });

  it('to a renewal: the lock is held on', async () => {
    const lock = await far.acquire('a', { leaseMs: 2_000 });
    loseReplies('renew');
    await until('the reply is lost', () => proxy.repliesLost === 1);
    const { remainingMs } = lock;
    await until('a later one is answered', () => lock.remainingMs > remainingMs);
    expect([lock.held, lock.signal.aborted]).toEqual([true, false]);
    expect(await near.tryAcquire('a')).toBeNull();
    expect(await lock.release()).toBe(true);
  });

  it('to a release: the lock is free for the next one', async () => {
    const lock = await far.acquire('a');
    const next = near.acquire('a');
    await until('the next one waits', async () => (await inLine('a')) === 2);
    loseReplies('withdraw');
    await lock.release();
    expect(proxy.repliesLost).toBe(1);
    await (await next).release();
    await until('nothing is in line', async () => (await inLine('a')) === 0, 1_000);
  });
});
