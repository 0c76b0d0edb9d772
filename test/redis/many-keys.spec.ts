import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnRedis } from '../support/redis-installed.js';
import { keyCount } from '../support/redis-commands.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { LockManagers } from './lock-managers.js';

const KEYS = 10_000;
const AT_ONCE = 500;

describeOnRedis('ten thousand different keys', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  it('that were locked and released leave one key behind, and no memory', async () => {
    const managers = new LockManagers();
    const manager = managers.open({ via: server, commandTimeoutMs: 5_000, leaseMs: 60_000 });
    await (await manager.acquire('warm')).release();
    const before = await usedMemory();
    for (let start = 0; start < KEYS; start += AT_ONCE) {
      const keys = Array.from({ length: AT_ONCE }, (_, index) => `key ${start + index}`);
      const locks = await Promise.all(keys.map((key) => manager.acquire(key)));
      // The line of each, and the last place.
      expect(await keyCount(server)).toBe(AT_ONCE + 1);
      expect(await Promise.all(locks.map((lock) => lock.release()))).toEqual(locks.map(() => true));
      expect(await keyCount(server)).toBe(1);
    }
    expect((await usedMemory()) - before).toBeLessThan(2_000_000);
    await managers.close();
  });

  async function usedMemory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await server.admin.info('memory'))![1]);
  }
});
