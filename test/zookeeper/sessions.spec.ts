import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { type Clock, systemClock } from '../../lib/core/clock.js';
import { LockConfigError, LockManager } from '../../lib/core/index.js';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';
import { type DriverHandle, openDriver } from '../../lib/zookeeper/zookeeper.driver.js';
import { until } from '../support/until.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { ZooKeeperProxies } from '../support/zookeeper-proxies.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';
import { LockManagers } from './lock-managers.js';

jest.setTimeout(60_000);

describeOnZooKeeper('sessions', () => {
  const managers = new LockManagers();
  let server: ZooKeeperServer;
  beforeAll(async () => {
    server = await startZooKeeperServer();
  });
  afterAll(() => server.stop());
  afterEach(() => managers.close());

  it('are as many as their nodes need, so that the end of one is no transaction too large for the servers', async () => {
    const manager = managers.open({ connect: server.connect, sessionTimeoutMs: 10_000 });
    // Three bytes of a path for each byte of a key.
    const keys = Array.from({ length: 400 }, (_, n) => `${'é'.repeat(500)}${n}`);
    const locks = await Promise.all(keys.map((key) => manager.acquire(key)));
    // One sixth of a megabyte and more each, of half a megabyte that a session may have.
    expect(await sessions()).toBeGreaterThanOrEqual(3);
    expect(await sessions()).toBeLessThanOrEqual(5);
    await Promise.all(locks.map((lock) => lock.release()));
    await until('those that are not needed have ended', async () => (await sessions()) === 1);
    expect(await (await manager.acquire('a')).release()).toBe(true);
  });

  it('are as many as their watches need, so that a lost connection is found again, and no lock is lost by it', async () => {
    const proxies = new ZooKeeperProxies();
    const patient = await startZooKeeperServer({ config: { maxSessionTimeout: 30_000 } });
    try {
      const port = await proxies.open(patient.port);
      const holder = managers.open({ connect: patient.connect, sessionTimeoutMs: 30_000, localHandOffs: 0 });
      const manager = managers.open({ connect: `127.0.0.1:${port}`, sessionTimeoutMs: 10_000 });
      const lock = await manager.acquire('held');
      // A megabyte and a half of paths are watched by callers who have gone.
      const keys = Array.from({ length: 1_500 }, (_, n) => `${'x'.repeat(950)}${n}`);
      await inBatches(keys, (key) => holder.acquire(key));
      await inBatches(keys, (key) => manager.acquire(key, { waitMs: 100 }).catch(() => undefined));
      await proxies.turn(port, 'cut');
      await sleep(12_000);
      expect(lock.held).toBe(true);
      expect(await lock.release()).toBe(true);
    } finally {
      await managers.close();
      await proxies.stop();
      await patient.stop();
    }
  });

  it('that are granted less time than was asked for are looked after in time', async () => {
    // The server grants 20 ticks: 4 s.
    const manager = managers.open({ connect: server.connect, sessionTimeoutMs: 60_000 });
    await (await manager.acquire('idle')).release();
    await sleep(3_900);
    const lock = await manager.tryAcquire('idle');
    await sleep(3_900);
    expect(lock?.held).toBe(true);
    expect(await lock!.release()).toBe(true);
  });

  it('outlive a jump of the wall clock, and so do their locks', async () => {
    let jumpedMs = 0;
    const clock: Clock = {
      now: () => systemClock.now(),
      wall: () => systemClock.wall() + jumpedMs,
      alarm: (delayMs, ring) => systemClock.alarm(delayMs, ring),
    };
    const backend = new ZooKeeperBackend({ connect: server.connect, sessionTimeoutMs: 4_000 }, { clock });
    const manager = new LockManager({ backend, drainMs: 500 }, { clock });
    const lock = await manager.acquire('a');
    jumpedMs = 60_000;
    // The machine may as well have slept: it has to ask.
    expect(lock.held).toBe(false);
    await until('it has asked', () => lock.held);
    await sleep(4_000);
    expect(lock.held).toBe(true);
    expect(await lock.release()).toBe(true);
    await manager.close();
  });

  it('whose driver has gone deaf are ended, and the next lock has another', async () => {
    const handles: { deaf: boolean }[] = [];
    const hard = (): DriverHandle => {
      const hearing = { deaf: false };
      handles.push(hearing);
      return deafWhenTold(openDriver(), hearing);
    };
    const backend = new ZooKeeperBackend({ connect: server.connect, sessionTimeoutMs: 2_000 }, { openDriver: hard });
    const manager = new LockManager({ backend, drainMs: 500, waitMs: 20_000 });
    const lock = await manager.acquire('a');
    handles[0]!.deaf = true;
    await until('the loss was told', () => lock.signal.aborted);
    const anew = await manager.acquire('a');
    expect(anew.fencingToken > lock.fencingToken).toBe(true);
    expect(handles).toHaveLength(2);
    expect(await anew.release()).toBe(true);
    await manager.close();
  });

  it('with auth: whoever has none, or another, can neither lock nor unlock below its root', async () => {
    const root = '/guarded/locks';
    const owner = managers.open({ connect: server.connect, root, auth: { user: 'locks', password: 'secret' } });
    const lock = await owner.acquire('a');
    for (const auth of [undefined, { user: 'locks', password: 'wrong' }]) {
      const stranger = managers.open({ connect: server.connect, root, ...(auth && { auth }) });
      for (const key of ['a', 'b']) {
        const error = await stranger.tryAcquire(key).catch((each: unknown) => each);
        expect(error).toBeInstanceOf(LockConfigError);
        expect(String(error)).toMatch(/not permitted below \/guarded\/locks/);
        expect(String(error)).not.toMatch(/secret|wrong/);
      }
    }
    const friend = managers.open({ connect: server.connect, root, auth: { user: 'locks', password: 'secret' } });
    expect(await friend.tryAcquire('a')).toBeNull();
    expect(await lock.release()).toBe(true);
    await (await friend.acquire('a')).release();
  });

  it('when a closing process leaves a lock to its lease, its session lasts for as long', async () => {
    const manager = managers.open({ connect: server.connect, sessionTimeoutMs: 3_000, drainMs: 0 });
    await manager.run('held for long', { minHoldMs: 60_000 }, () => undefined);
    const closedAt = performance.now();
    await manager.close();
    const other = managers.open({ connect: server.connect });
    expect(await other.tryAcquire('held for long')).toBeNull();
    await (await other.acquire('held for long')).release();
    expect(performance.now() - closedAt).toBeGreaterThan(1_500);
  });

  it('below a chroot that does not exist yet', async () => {
    const manager = managers.open({ connect: `${server.connect}/some/where`, root: '/locks' });
    const lock = await manager.acquire('a');
    expect(await server.ask('dump')).toContain('/some/where/locks/a/');
    expect(await lock.release()).toBe(true);
  });

  it('nothing that is printed of a backend has its password, nor has a message about its options', () => {
    const auth = { user: 'locks', password: 'secret' };
    const backend = new ZooKeeperBackend({ connect: server.connect, auth });
    expect(inspect(backend, { depth: Infinity, showHidden: true })).not.toContain('secret');
    expect(JSON.stringify(backend)).not.toContain('secret');
    const mistyped = { connect: 'a:2181,locks:secret@b:2181' };
    expect(() => new ZooKeeperBackend(mistyped)).toThrow('server 2 of it does not');
    expect(() => new ZooKeeperBackend(mistyped)).not.toThrow('secret');
    const textual = { connect: server.connect, sessionTimeoutMs: '5000' as unknown as number };
    expect(() => new ZooKeeperBackend(textual)).toThrow(LockConfigError);
  });

  /** This connection is one, too. */
  async function sessions(): Promise<number> {
    return (await server.fact('zk_num_alive_connections')) - 1;
  }
});

async function inBatches(keys: readonly string[], each: (key: string) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < keys.length; start += 100) await Promise.all(keys.slice(start, start + 100).map(each));
}

/** Every call is taken, and none is answered any more. */
function deafWhenTold(handle: DriverHandle, hearing: { readonly deaf: boolean }): DriverHandle {
  return new Proxy(handle, {
    get: (driver, name) => {
      const value: unknown = Reflect.get(driver, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown =>
        hearing.deaf && String(name).startsWith('a_') ? 0 : Reflect.apply(value, driver, args);
    },
  });
}
