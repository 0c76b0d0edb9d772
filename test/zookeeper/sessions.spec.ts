import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { LockConfigError } from '../../lib/core/index.js';
import { until } from '../support/until.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
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

  /** This connection is one, too. */
  async function sessions(): Promise<number> {
    return (await server.fact('zk_num_alive_connections')) - 1;
  }
});
