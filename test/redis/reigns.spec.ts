import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type Place } from '../../lib/core/index.js';
import { RedisBackend } from '../../lib/redis/index.js';
import { freePort } from '../support/free-port.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { LockManagers } from './lock-managers.js';

describeOnRedis('whoever waits while a server becomes master', () => {
  const managers = new LockManagers();
  let server: RedisServer;
  let backend: RedisBackend;

  beforeAll(async () => {
    server = await startRedisServer();
    backend = new RedisBackend({ url: `redis://127.0.0.1:${server.port}` });
  });
  afterAll(async () => {
    await backend.close();
    await server.stop();
  });
  afterEach(() => managers.close());

  it('comes in with a new place, above all that were given before, for they may have been granted', async () => {
    const [first, second, third] = [1, 2, 3].map(() => managers.open({ via: server, leaseMs: 3_000, waitMs: 40_000 }));
    const holder = await first!.acquire('a');
    const waiting = [second!.acquire('a')];
    await standInLine(2);
    waiting.push(third!.acquire('a'));
    await standInLine(3);
    const before = await backend.inspect('a');

    await server.admin.replicaof('127.0.0.1', await freePort());
    await server.admin.replicaof('NO', 'ONE');

    expect(await holder.release()).toBe(true);
    const tokens: bigint[] = [];
    await Promise.all(
      waiting.map(async (acquiring) => {
        const lock = await acquiring;
        tokens.push(lock.fencingToken);
        await lock.release();
      }),
    );
    expect(tokens[0]! >> 10n).toBeGreaterThan(before.at(-1)!.place!);
    expect(tokens[1]!).toBeGreaterThan(tokens[0]!);
  });

  it('keeps its place while nothing has happened to the server, however often it asks', async () => {
    const [first, second] = [1, 2].map(() => managers.open({ via: server, leaseMs: 500, waitMs: 20_000 }));
    const holder = await first!.acquire('b');
    const waiting = second!.acquire('b');
    await until('it waits', async () => (await backend.inspect('b')).length === 2);
    const [, before] = await backend.inspect('b');
    const asked = await calls();
    await until('it has asked again', async () => (await calls()) > asked + 8);
    expect(await holder.release()).toBe(true);
    const lock = await waiting;
    expect(lock.fencingToken >> 10n).toBe(before!.place!);
    await lock.release();
  });

  it('believes that it is in only if that is said in the reign in which it waits', async () => {
    const [first, second] = [1, 2].map(() => managers.open({ via: server, leaseMs: 20_000, waitMs: 20_000 }));
    const holder = await first!.acquire('c');
    let isIn = false;
    const waiting = second!.acquire('c').finally(() => (isIn = true));
    await until('it waits', async () => (await backend.inspect('c')).length === 2);
    const [, { id, place }] = (await backend.inspect('c')) as [unknown, Place];
    const [, reign] = /master_replid:(\w+)/.exec(await server.admin.info('replication'))!;
    const entries = (await server.admin.zrange('lock:{0}:line:c', '0', '-1')) as string[];
    const [, node] = entries.map((entry) => /^\d+:\d+:([^:]*):(\S*)/.exec(entry)).find((parts) => parts?.[2] === id)!;
    const say = (where: string): Promise<number> => {
      return server.admin.publish(`lock:{0}:wake:${node}`, `${id} ${place} 20000 0 ${where}`);
    };

    const asked = await calls();
    expect(await say(reign!.replace(/./, (digit) => (digit === '0' ? '1' : '0')))).toBe(1);
    await until('it has asked instead', async () => (await calls()) > asked);
    expect(isIn).toBe(false);
    // What nobody checks is believed: so the one before would have been, too.
    expect(await say(reign!)).toBe(1);
    await (await waiting).release();
    await holder.release();
  });

  it('has lost what it holds where the server has the claim at another place, and leaves that', async () => {
    const lock = await managers.open({ via: server, leaseMs: 600 }).acquire('d');
    const line = 'lock:{0}:line:d';
    const claim = (await server.admin.zrange(line, '0', '-1')).find((entry) => !entry.startsWith('~'))!;
    // As if it had come in on another server, and this one had taken over with what it knew before.
    await server.admin.zincrby(line, -1, claim);
    await until('it is told', () => lock.signal.aborted);
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'claim-gone' });
    expect(await backend.inspect('d')).toEqual([]);
    expect(await lock.release()).toBe(false);
  });

  function standInLine(count: number): Promise<unknown> {
    return until(`${count} stand in line`, async () => (await backend.inspect('a')).length === count);
  }

  async function calls(): Promise<number> {
    const stats = await server.admin.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }
});
