import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnRedis } from '../support/redis-installed.js';
import { startRedisProxy } from '../support/redis-proxy.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { LockManagers } from './lock-managers.js';

// As behind a virtual address: new connections lead to the new master, and those to the old one, a replica now, stay open.
describeOnRedis('a master that is replaced behind its address', () => {
  const managers = new LockManagers();
  let before: RedisServer;
  let after: RedisServer;
  let address: TcpProxy;

  beforeAll(async () => {
    const config = { 'repl-diskless-sync': 'no' };
    before = await startRedisServer({ config });
    after = await startRedisServer({ config: { ...config, replicaof: `127.0.0.1 ${before.port}` } });
    address = await startRedisProxy(before);
  });
  afterAll(async () => {
    await managers.close();
    address.close();
    await Promise.all([before.stop(), after.stop()]);
  });

  it('lets nobody in who still listens to the old one, unless he is in on the new one', async () => {
    const options = { leaseMs: 5_000, waitMs: 20_000, localHandOffs: 0 };
    const mover = managers.open({ via: address, ...options });
    await listensTo(mover, 'warm');

    await until(
      'the replica is in step',
      async () => /master_link_status:up/.test(await after.admin.info()) || undefined,
    );
    await after.admin.call('REPLICAOF', 'NO', 'ONE');
    address.target = after.port;
    await before.admin.call('REPLICAOF', '127.0.0.1', after.port);
    await until(
      'the old one follows',
      async () => /master_link_status:up/.test(await before.admin.info()) || undefined,
    );

    const [first, other] = [managers.open({ via: after, ...options }), managers.open({ via: after, ...options })];
    const held = await first.acquire('a');
    const inside: string[] = [];
    const visit = async (name: string, manager: typeof first): Promise<void> => {
      await manager.run('a', async (lock) => {
        inside.push(`${name} in`);
        await sleep(300);
        expect(lock.held).toBe(true);
        inside.push(`${name} out`);
      });
    };
    const visits = [visit('mover', mover)];
    await until('it waits', async () => (await first.inspect('a')).waiters.length === 1 || undefined);
    visits.push(visit('other', other));
    await until('both wait', async () => (await first.inspect('a')).waiters.length === 2 || undefined);
    await held.release();
    await Promise.all(visits);
    expect(inside).toEqual(['mover in', 'mover out', 'other in', 'other out']);
  });

  async function listensTo(manager: ReturnType<LockManagers['open']>, key: string): Promise<void> {
    const lock = await manager.acquire(key);
    const next = manager.acquire(key);
    await until('somebody waits', async () => (await manager.inspect(key)).waiters.length === 1 || undefined);
    await lock.release();
    await (await next).release();
  }
});
