import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';
import { LockOwner } from '../support/lock-owner.js';
import { until } from '../support/until.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { ZooKeeperProxies } from '../support/zookeeper-proxies.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';
import { LockManagers } from './lock-managers.js';

jest.setTimeout(90_000);

const SESSION_MS = 3_000;

describeOnZooKeeper('a holder that ZooKeeper does not hear of', () => {
  const managers = new LockManagers();
  let server: ZooKeeperServer;
  let proxies: ZooKeeperProxies;
  let port: number;
  beforeAll(async () => {
    server = await startZooKeeperServer();
    proxies = new ZooKeeperProxies();
  });
  afterAll(async () => {
    await proxies.stop();
    await server.stop();
  });
  afterEach(() => managers.close());

  it('a black hole between them: the loss is told before the node goes; afterwards the same process locks again', async () => {
    port = await proxies.open(server.port);
    const owner = await LockOwner.start({
      address: { kind: 'zookeeper', ports: [port], sessionTimeoutMs: SESSION_MS },
      key: 'hole',
    });
    const observer = new ZooKeeperBackend({ connect: server.connect, sessionTimeoutMs: SESSION_MS });
    try {
      const token = await owner.acquires();
      await until('it looks at its lock', () => owner.looks.some(({ held }) => held));
      await proxies.turn(port, 'blackHole');
      await until('the node is gone', async () => (await observer.inspect('hole')).length === 0);
      const goneAt = Number(process.hrtime.bigint()) / 1e6;
      const abortedAt = await until('the loss was told', () => owner.abortedAt, 1_000);
      expect(abortedAt).toBeLessThan(goneAt);
      expect(owner.looks.filter(({ from, held }) => held && from > abortedAt)).toEqual([]);

      await proxies.turn(port, 'pass');
      expect(await owner.releases()).toBe(false);
      expect((await owner.acquires()) > token).toBe(true);
      expect(await owner.releases()).toBe(true);
    } finally {
      await owner.stop();
      await observer.close();
    }
  });

  it('stopped (SIGSTOP) for longer than its session: the next one gets in, and it sees its loss before anything else', async () => {
    const owner = await LockOwner.start({
      address: { kind: 'zookeeper', ports: [server.port], sessionTimeoutMs: SESSION_MS },
      key: 'stop',
    });
    try {
      const token = await owner.acquires();
      await until('it looks at its lock', () => owner.looks.some(({ held }) => held));
      owner.pause();
      const lock = await managers.open({ connect: server.connect }).acquire('stop', { waitMs: 30_000 });
      expect(lock.fencingToken > token).toBe(true);
      const looks = await owner.resume();
      expect(looks.filter(({ held, aborted }) => held || !aborted)).toEqual([]);
      expect(owner.events).toContain('lost');
      // Nor does what the first one does then touch the lock of the second.
      expect(await owner.releases()).toBe(false);
      expect(lock.held).toBe(true);
      expect(await lock.release()).toBe(true);
    } finally {
      await owner.stop();
    }
  });

  it('a node that a session of old has left is not taken for its own, and is removed', async () => {
    const request = { key: 'ghost', id: 'the same claim', slots: 1, leaseMs: 1_000 };
    const [old, young, third] = [1, 2, 3].map(
      () => new ZooKeeperBackend({ connect: server.connect, sessionTimeoutMs: SESSION_MS }),
    );
    try {
      const ghost = old!.claim(request);
      const before = await ghost.attempt({ queue: true });
      const other = third!.claim({ ...request, id: 'another claim' });
      expect(await other.attempt({ queue: true })).toMatchObject({ held: false, ahead: 1 });
      // Of the line as the server has it, its old node is first. It is not its own, and its own is third.
      const anew = young!.claim(request);
      const standing = await anew.attempt({ queue: true });
      expect(standing).toMatchObject({ held: false, ahead: 1 });
      expect(standing.place! > before.place!).toBe(true);
      await until('the old node is removed', async () => (await third!.inspect('ghost')).length === 2);
      await expect(ghost.renew()).rejects.toMatchObject({ code: 'LOCK_LOST', reason: 'forced' });
      expect(await other.attempt({ queue: true })).toMatchObject({ held: true });
    } finally {
      for (const backend of [old!, young!, third!]) await backend.close();
    }
  });
});
