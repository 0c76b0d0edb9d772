import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type LockManager } from '../../lib/core/index.js';
import { killSubscribers } from '../support/redis-commands.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { isPush, startRedisProxy } from '../support/redis-proxy.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { GuardedResource } from '../support/guarded-resource.js';
import { LockManagers } from './lock-managers.js';

const CALLERS = 3;

describeOnRedis('two processes with some callers each go on taking turns', () => {
  const managers = new LockManagers();
  let server: RedisServer;
  let proxy: TcpProxy;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    proxy = await startRedisProxy(server);
  });
  afterEach(async () => {
    await managers.close();
    proxy.close();
  });

  it('while Redis forgets its scripts again and again', async () => {
    const { near, far } = open({ leaseMs: 10_000 });
    await takeTurns([near, far], 50, () => server.admin.script('FLUSH', 'SYNC'));
  });

  it('while Redis throws out all subscribers again and again', async () => {
    const { near, far } = open({ leaseMs: 5_000 });
    let thrownOut = 0;
    await takeTurns([near, far], 20, async () => {
      thrownOut += await until('there are some', async () => (await killSubscribers(server)) || undefined);
    });
    expect(thrownOut).toBeGreaterThanOrEqual(20);
  });

  it('while the connections of one are cut again and again', async () => {
    const { near, far } = open({ leaseMs: 10_000 });
    let cut = 0;
    await takeTurns([near, far], 20, async () => {
      await until('both are open again', () => proxy.accepted >= cut + 2);
      cut = proxy.accepted;
      proxy.cut();
    });
  });

  it('while nobody of one hears any news', async () => {
    const { near, far } = open({ leaseMs: 1_500 });
    proxy.toClient.drop(isPush);
    await takeTurns([near, far], 10, () => sleep(10));
    expect(proxy.toClient.swallowed).toBeGreaterThan(0);
  });

  it('while nobody hears any news', async () => {
    const far = [1, 2].map(() => open({ leaseMs: 1_500 }).far);
    proxy.toClient.drop(isPush);
    await takeTurns(far, 5, () => sleep(10));
    expect(proxy.toClient.swallowed).toBeGreaterThan(0);
  });

  function open({ leaseMs }: { leaseMs: number }): Record<'near' | 'far', LockManager> {
    // Strict, so that every turn goes through Redis.
    const options = { localHandOffs: 0, leaseMs, waitMs: 30_000 };
    return { near: managers.open({ via: server, ...options }), far: managers.open({ via: proxy, ...options }) };
  }

  /** After every disturbance, of which there are so many, somebody gets in. Nobody ever meets anybody there. */
  async function takeTurns(
    managers: readonly LockManager[],
    times: number,
    disturb: () => Promise<unknown>,
  ): Promise<void> {
    const resource = new GuardedResource();
    const over = new AbortController();
    const callers = managers.flatMap((manager) => Array.from({ length: CALLERS }, () => manager));
    const visits = callers.map(async (manager) => {
      let visits = 0;
      for (; !over.signal.aborted; visits += 1) await manager.run('a', (lock) => resource.visit(lock));
      return visits;
    });
    const everybody = Promise.all(visits);
    try {
      for (let time = 0; time < times; time += 1) {
        const before = resource.visits;
        await Promise.race([disturb(), everybody]);
        await until('somebody gets in', () => resource.visits > before + 1);
      }
    } finally {
      over.abort();
    }
    expect((await everybody).every((visits) => visits > 0)).toBe(true);
    const { overlaps, refused, tokensRise, visits: all, counter } = resource;
    expect({ overlaps, refused, tokensRise, counter }).toEqual({
      overlaps: 0,
      refused: 0,
      tokensRise: true,
      counter: all,
    });
  }
});
