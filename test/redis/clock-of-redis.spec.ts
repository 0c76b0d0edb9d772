import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type LockManager } from '../../lib/core/index.js';
import { MovableClock } from '../support/movable-clock.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { startRedisProxy } from '../support/redis-proxy.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { GuardedResource } from '../support/guarded-resource.js';
import { LockManagers } from './lock-managers.js';

const HOUR_S = 3_600;
const LEASE_MS = 1_000;

describeOnRedis('the clock of Redis is set', () => {
  const managers = new LockManagers();
  let clock: MovableClock;
  let server: RedisServer;
  let proxy: TcpProxy;

  beforeAll(async () => {
    clock = new MovableClock();
    server = await startRedisServer({ env: clock.env });
  });
  afterAll(async () => {
    await server?.stop();
    clock?.remove();
  });
  beforeEach(async () => {
    await set(0);
    await server.admin.flushall();
    proxy = await startRedisProxy(server);
  });
  afterEach(async () => {
    proxy.toServer.pass();
    await managers.close();
    proxy.close();
  });

  async function set(offsetSeconds: number): Promise<void> {
    clock.move(offsetSeconds);
    const [seconds] = await server.admin.time();
    expect(Math.abs(Number(seconds) - Date.now() / 1_000 - offsetSeconds)).toBeLessThan(HOUR_S / 10);
  }

  function open(): LockManager {
    return managers.open({ via: server, localHandOffs: 0, leaseMs: LEASE_MS, waitMs: 30_000 });
  }

  it('forward: one that waits gets in with a larger token, and the holder learns that its lock is lost', async () => {
    const lock = await open().acquire('a');
    const waiting = open().acquire('a');
    await until('it waits', async () => (await open().inspect('a')).waiters.length === 1);
    await set(HOUR_S);
    const next = await waiting;
    expect(next.fencingToken > lock.fencingToken).toBe(true);
    await until('the first knows', () => lock.signal.aborted);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST' });
    expect(next.held).toBe(true);
    expect(await next.release()).toBe(true);

    await set(0);
    const last = await open().acquire('a');
    expect(last.fencingToken > next.fencingToken).toBe(true);
    expect(await last.release()).toBe(true);
  });

  it('back: a holder keeps its lock, and hands it on with a larger token', async () => {
    const lock = await open().acquire('a');
    const waiting = open().acquire('a');
    await until('it waits', async () => (await open().inspect('a')).waiters.length === 1);
    await set(-HOUR_S);
    const since = performance.now();
    const passerBy = open();
    while (performance.now() - since < 2.5 * LEASE_MS) expect(await passerBy.tryAcquire('a')).toBeNull();
    expect(lock.held).toBe(true);
    expect(await lock.release()).toBe(true);
    const next = await waiting;
    expect(next.fencingToken > lock.fencingToken).toBe(true);
    expect(await next.release()).toBe(true);
  });

  it.each(['waits', 'tries again and again'])(
    'back: one that %s for the lock of a dead process gets it',
    async (how) => {
      await managers.open({ via: proxy, leaseMs: LEASE_MS }).acquire('a');
      proxy.toServer.blackHole();
      await set(-HOUR_S);
      const manager = open();
      const lock =
        how === 'waits'
          ? await manager.acquire('a')
          : await until('it gets in', async () => (await manager.tryAcquire('a')) ?? undefined);
      expect(await lock.release()).toBe(true);
    },
  );

  it.each([
    { how: 'forward and back', offsets: [HOUR_S, 0] },
    { how: 'back and forward', offsets: [-HOUR_S, 0] },
    { how: 'to and fro', offsets: [HOUR_S, -HOUR_S, HOUR_S] },
  ])('$how: all go on, and what they guard loses no update', async ({ offsets }) => {
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
      for (const offset of offsets) {
        await set(offset);
        await someAreAccepted();
      }
    } finally {
      over.abort();
    }
    await everybody;
    expect(resource.counter).toBe(resource.accepted);
    expect(new Set(resource.tokens).size).toBe(resource.visits);
    // Of those who met somebody inside because the clock went forward, and of nobody else.
    expect(resource.refused).toBeLessThanOrEqual(offsets.length * callers.length);

    async function takeTurns(manager: LockManager): Promise<void> {
      while (!over.signal.aborted) await manager.run('a', { onLost: 'ignore' }, (lock) => resource.visit(lock));
    }

    function someAreAccepted(): Promise<unknown> {
      const { accepted } = resource;
      return until('some are accepted', () => resource.accepted > accepted + 10);
    }
  });
});
