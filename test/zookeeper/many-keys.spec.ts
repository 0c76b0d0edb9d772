import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { until } from '../support/until.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';
import { LockManagers } from './lock-managers.js';

jest.setTimeout(180_000);

const KEYS = 10_000;

describeOnZooKeeper('10,000 different keys', () => {
  const managers = new LockManagers();
  let server: ZooKeeperServer;
  beforeAll(async () => {
    server = await startZooKeeperServer({ tickMs: 1_000, collectEveryMs: 1_000 });
  });
  afterAll(async () => {
    await managers.close();
    await server.stop();
  });

  it('leave nothing behind once they are released and collected, and tokens rise all the same', async () => {
    const manager = managers.open({ connect: server.connect, sessionTimeoutMs: 20_000, leaseMs: 60_000 });
    const empty = await server.fact('zk_znode_count');
    const largest = { before: 0n };
    const keys = Array.from({ length: KEYS }, (_, n) => `order:${n}`);
    for (let start = 0; start < KEYS; start += 200) {
      const locks = await Promise.all(keys.slice(start, start + 200).map((key) => manager.acquire(key)));
      for (const { fencingToken } of locks) if (fencingToken > largest.before) largest.before = fencingToken;
      await Promise.all(locks.map((lock) => lock.release()));
    }
    await until('only the root is left', async () => (await server.fact('zk_znode_count')) === empty + 1, 60_000);
    expect(await server.fact('zk_ephemerals_count')).toBe(0);
    const lock = await manager.acquire('order:0');
    expect(lock.fencingToken > largest.before).toBe(true);
    await lock.release();
  });
});
