import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockConfigError } from '../../lib/core/index.js';
import { until } from '../support/until.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';
import { ZooKeeperStranger } from '../support/zookeeper-stranger.js';
import { LockManagers } from './lock-managers.js';

describeOnZooKeeper('somebody else on the same ZooKeeper', () => {
  const managers = new LockManagers();
  let server: ZooKeeperServer;
  let stranger: ZooKeeperStranger;
  beforeAll(async () => {
    server = await startZooKeeperServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    stranger = await ZooKeeperStranger.connect(server.connect);
  });
  afterEach(async () => {
    await stranger.close();
    await managers.close();
  });

  it('writes to the node of a holder: whoever waits for it is not let in', async () => {
    const [holder, waiter] = [0, 1].map(() => managers.open({ connect: server.connect, localHandOffs: 0 }));
    const first = await holder!.acquire('written');
    const second = waiter!.acquire('written');
    let secondIn = false;
    void second.then(() => (secondIn = true));
    await until('it waits', async () => (await holder!.inspect('written')).waiters.length === 1);
    const line = '/nestjs-locked/written';
    for (let times = 0; times < 3; times += 1) {
      for (const name of await stranger.children(line)) await stranger.write(`${line}/${name}`, 'x');
      await sleep(100);
    }
    expect(first.held).toBe(true);
    expect(secondIn).toBe(false);
    expect(await first.release()).toBe(true);
    expect(await (await second).release()).toBe(true);
  });

  it('removes the node of a holder: that one learns of it, and the next one comes in', async () => {
    const [holder, waiter] = [0, 1].map(() => managers.open({ connect: server.connect, localHandOffs: 0 }));
    const first = await holder!.acquire('removed');
    const second = waiter!.acquire('removed');
    await until('it waits', async () => (await holder!.inspect('removed')).waiters.length === 1);
    const [name] = (await stranger.children('/nestjs-locked/removed')).toSorted(bySequence);
    await stranger.remove(`/nestjs-locked/removed/${name}`);
    await until('the holder has learnt of it', () => first.signal.aborted);
    expect((await second).held).toBe(true);
    expect(await first.release()).toBe(false);
    expect(await (await second).release()).toBe(true);
  });

  it.each(['%zz,1,0000000001', 'a,0,0000000001', 'a,1', 'notes', '%2e,1,0000000001'])(
    'has a node of its own among the claims, %s: it is no claim, and in nobody’s way',
    async (name) => {
      const manager = managers.open({ connect: server.connect });
      await (await manager.acquire('foreign')).release();
      const path = `/nestjs-locked/foreign/${name}`;
      await stranger.make(path).catch(async () => {
        // The line was collected meanwhile.
        await stranger.make('/nestjs-locked/foreign');
        await stranger.make(path);
      });
      const lock = await manager.acquire('foreign');
      expect((await manager.inspect('foreign')).holders).toHaveLength(1);
      expect(await manager.tryAcquire('foreign')).toBeNull();
      expect(await lock.release()).toBe(true);
      await stranger.remove(path);
    },
  );

  it('has left the root to be made where nobody else may make anything: with auth, it belongs to the locks all the same', async () => {
    await stranger.make('/app');
    await stranger.setRights('/', READ + ADMIN);
    try {
      const auth = { user: 'locks', password: 'secret' };
      const owner = managers.open({ connect: `${server.connect}/app`, root: '/its/locks', auth });
      expect(await (await owner.acquire('a')).release()).toBe(true);
      await expect(stranger.make('/app/its/locks/b')).rejects.toThrow('(-102)');

      const outside = managers.open({ connect: server.connect, root: '/elsewhere' });
      const error = await outside.tryAcquire('a').catch((each: unknown) => each);
      expect(error).toBeInstanceOf(LockConfigError);
      expect(String(error)).toMatch(/not permitted below \/elsewhere/);
    } finally {
      await stranger.setRights('/', 31);
    }
  });
});

const READ = 1;
const ADMIN = 16;

function bySequence(a: string, b: string): number {
  return Number(a.split(',')[2]) - Number(b.split(',')[2]);
}
