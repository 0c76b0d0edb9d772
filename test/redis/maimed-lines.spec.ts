import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { RedisBackend } from '../../lib/redis/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { LockManagers } from './lock-managers.js';

describeOnRedis('what Redis does to a line, or is told by strangers,', () => {
  const managers = new LockManagers();
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterEach(() => managers.close());
  afterAll(() => server.stop());

  it('the line of a key evicted, frees the key, and tells its holder', async () => {
    const [one, other] = [1, 2].map(() => managers.open({ via: server, leaseMs: 600, waitMs: 20_000 }));
    const lock = await one!.acquire('a');
    await server.admin.del('lock:{0}:line:a');
    await other!.inspect('a');
    const next = await other!.acquire('a');
    await until('its holder knows', () => lock.signal.aborted || undefined);
    expect(next.held).toBe(true);
    await next.release();
  });

  it('a message of a stranger is no news', async () => {
    const [one, other] = [1, 2].map(() => managers.open({ via: server, leaseMs: 2_000, waitMs: 20_000 }));
    const lock = await one!.acquire('a');
    const next = other!.acquire('a');
    const channels = await until('it listens', async () => {
      const found = (await server.admin.pubsub('CHANNELS', 'lock:*')) as string[];
      return found.length > 0 ? found : undefined;
    });
    for (const channel of channels) {
      for (const message of ['hello', '', 'a b c d', 'id 1 2', 'x'.repeat(1e5)])
        await server.admin.publish(channel, message);
    }
    await lock.release();
    await (await next).release();
  });

  it('a key that looks like one of another key is listed as what it is', async () => {
    const manager = managers.open({ via: server });
    const keys = ['}:line:ghost', 'a', 'line:a'];
    const locks = await Promise.all(keys.map((key) => manager.acquire(key)));
    const listed: string[] = [];
    const backend = new RedisBackend({ url: server.url, onWarning: () => undefined });
    for await (const key of backend.list()) listed.push(key);
    await backend.close();
    expect(listed.toSorted()).toEqual(keys.toSorted());
    await Promise.all(locks.map((each) => each.release()));
  });

  it('two thousand readers that a writer keeps out are let in within a second of the server', async () => {
    const backend = new RedisBackend({ url: server.url, commandTimeoutMs: 10_000, onWarning: () => undefined });
    const claim = (id: string, slots: number) => backend.claim({ key: 'crowd', id, slots, leaseMs: 60_000 });
    const writer = claim('writer', 1);
    await writer.attempt({ queue: true });
    const readers = Array.from({ length: 2_000 }, (_, index) => claim(`reader-${index}`, Infinity));
    for (const reader of readers) await reader.attempt({ queue: true });
    const started = performance.now();
    await writer.withdraw();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect((await backend.inspect('crowd')).filter(({ held }) => held)).toHaveLength(2_000);
    await server.admin.flushall();
    await backend.close();
  });
});
