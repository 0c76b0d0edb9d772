import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockBackendError } from '../../lib/core/index.js';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { asksFor, startZooKeeperProxy } from '../support/zookeeper-proxy.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';
import { LockManagers } from './lock-managers.js';

jest.setTimeout(60_000);

const SESSION_MS = 20_000;

/** Sessions are so long that what is left behind does not merely end. */
describeOnZooKeeper('the connection is lost', () => {
  const managers = new LockManagers();
  let server: ZooKeeperServer;
  let observer: ZooKeeperBackend;
  let proxy: TcpProxy;
  beforeAll(async () => {
    server = await startZooKeeperServer({ tickMs: 1_000 });
    observer = new ZooKeeperBackend({ connect: server.connect, sessionTimeoutMs: SESSION_MS });
  });
  afterAll(async () => {
    await observer.close();
    await server.stop();
  });
  beforeEach(async () => {
    proxy = await startZooKeeperProxy(server);
  });
  afterEach(async () => {
    proxy.close();
    await sleep(50);
    await managers.close();
  });

  const line = (key: string) => observer.inspect(key);
  const manager = () => managers.open({ connect: `127.0.0.1:${proxy.port}`, sessionTimeoutMs: SESSION_MS });

  it.each([1, 2])(
    'right after a claim was made, %i times: it has one node, and none when it is released',
    async (times) => {
      const locks = manager();
      await (await locks.acquire('a')).release();
      proxy.dropRepliesThenReset(asksFor('create'), times);
      const lock = await locks.acquire('a');
      expect(proxy.repliesLost).toBeGreaterThanOrEqual(1);
      expect(await line('a')).toHaveLength(1);
      expect((await line('a'))[0]!.place).toBe(lock.fencingToken >> 10n);
      expect(await lock.release()).toBe(true);
      expect(await line('a')).toEqual([]);
    },
  );

  it('right after a claim was made that is tried once: it could not be asked, and soon has no node', async () => {
    const locks = manager();
    await (await locks.acquire('b')).release();
    proxy.dropRepliesThenReset(asksFor('create'));
    await expect(locks.tryAcquire('b')).rejects.toThrow(LockBackendError);
    expect(proxy.repliesLost).toBe(1);
    await until('it has no node', async () => (await line('b')).length === 0, SESSION_MS / 2);
  });

  it('answers a claim after it was given up on: it has one node, and its place is kept', async () => {
    const first = await managers.open({ connect: server.connect, sessionTimeoutMs: SESSION_MS }).acquire('late');
    const backend = new ZooKeeperBackend({ connect: server.connect, sessionTimeoutMs: SESSION_MS });
    const [claim, later] = ['late', 'later'].map((id) => backend.claim({ key: 'late', id, slots: 1, leaseMs: 1_000 }));
    try {
      await (await managers.open({ connect: server.connect }).acquire('before')).release();
      await backend.inspect('late');
      server.pause();
      await expect(claim!.attempt({ queue: true })).rejects.toThrow('no answer within');
      server.resume();
      await until('its node is made', async () => (await line('late')).length === 2);
      expect(await later!.attempt({ queue: true })).toMatchObject({ held: false, ahead: 2 });
      expect(await claim!.attempt({ queue: true })).toMatchObject({ held: false, ahead: 1 });
      expect(await line('late')).toHaveLength(3);
      expect(await claim!.withdraw()).toBe(true);
      expect((await line('late')).map(({ id }) => id).slice(1)).toEqual(['later']);
      await first.release();
      expect(await later!.attempt({ queue: true })).toMatchObject({ held: true });
    } finally {
      server.resume();
      await backend.close();
    }
  });

  it('answers a claim after it was given up on, and loses the answer to the next: it has no node when it is gone', async () => {
    const keep = await managers.open({ connect: server.connect, sessionTimeoutMs: SESSION_MS }).acquire('o');
    const backend = new ZooKeeperBackend({ connect: `127.0.0.1:${proxy.port}`, sessionTimeoutMs: SESSION_MS });
    const claim = backend.claim({ key: 'o', id: 'me', slots: 1, leaseMs: 1_000 });
    try {
      await backend.inspect('o');
      server.pause();
      await expect(claim.attempt({ queue: true })).rejects.toThrow('no answer within');
      server.resume();
      await until('its node is made', async () => (await line('o')).length === 2);
      proxy.dropRepliesThenReset(asksFor('create'));
      await Promise.allSettled([claim.attempt({ queue: true })]);
      await until('it has withdrawn', () =>
        Promise.resolve(claim.withdraw()).then(
          () => true,
          () => false,
        ),
      );
      await until('only the holder is left', async () => (await line('o')).length === 1);
      expect(await keep.release()).toBe(true);
    } finally {
      server.resume();
      proxy.close();
      await sleep(50);
      await backend.close();
    }
  });

  it('right after a waiter has joined: it keeps its place, and comes in', async () => {
    const holder = managers.open({ connect: server.connect });
    const first = await holder.acquire('c');
    const locks = manager();
    await (await locks.acquire('other')).release();
    proxy.dropRepliesThenReset(asksFor('create'));
    const second = locks.acquire('c');
    await until('it waits', async () => (await line('c')).length === 2);
    const third = managers.open({ connect: server.connect }).acquire('c');
    await until('another one waits', async () => (await line('c')).length === 3);
    await first.release();
    const tokens = [(await second).fencingToken];
    expect(await line('c')).toHaveLength(2);
    await (await second).release();
    tokens.push((await third).fencingToken);
    expect(tokens[1]! > tokens[0]!).toBe(true);
    await (await third).release();
  });

  it('right after a lock was released: it was released once', async () => {
    const locks = manager();
    const lock = await locks.acquire('d');
    proxy.dropRepliesThenReset(asksFor('delete'));
    await lock.release();
    await until('it has no node', async () => (await line('d')).length === 0, SESSION_MS / 2);
  });

  it('while a lock is held, and comes back: it is still held', async () => {
    const locks = manager();
    const lock = await locks.acquire('e');
    proxy.cut();
    await until('it is connected again', () => proxy.accepted >= 2);
    expect((await locks.inspect('e')).holders).toHaveLength(1);
    expect(lock.held).toBe(true);
    expect(await lock.release()).toBe(true);
  });
});
