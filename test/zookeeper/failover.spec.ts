import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';
import { until } from '../support/until.js';
import { startZooKeeperEnsemble, type ZooKeeperEnsemble } from '../support/zookeeper-ensemble.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { GuardedResource } from '../support/guarded-resource.js';
import { LockManagers } from './lock-managers.js';

jest.setTimeout(180_000);

const SESSION_MS = 3_000;
const RESUMES_WITHIN_MS = 10_000;

describeOnZooKeeper('an ensemble of three, under load', () => {
  const managers = new LockManagers();
  let ensemble: ZooKeeperEnsemble;
  let load: Load;
  beforeAll(async () => {
    ensemble = await startZooKeeperEnsemble({ config: { syncLimit: 5, initLimit: 10, maxSessionTimeout: 40_000 } });
  });
  afterAll(() => ensemble.stop());
  beforeEach(async () => {
    load = new Load(managers, ensemble.connect);
    await load.progresses();
  });
  afterEach(async () => {
    await load.stop();
    await managers.close();
  });

  it('the leader is killed: no two hold the lock, tokens rise, and the work goes on', async () => {
    const leader = await ensemble.leader();
    await leader.kill();
    await load.progresses(RESUMES_WITHIN_MS);
    await leader.restart({ waits: false });
    await ensemble.serves();
    await load.progresses();
    load.isSound();
  });

  it('the leader is stopped (SIGSTOP), and comes back: no two hold the lock, tokens rise, and the work goes on', async () => {
    const leader = await ensemble.leader();
    leader.pause();
    try {
      await load.progresses(RESUMES_WITHIN_MS);
    } finally {
      leader.resume();
    }
    await ensemble.serves();
    await load.progresses(RESUMES_WITHIN_MS);
    load.isSound();
  });

  it('one server after another is restarted: no two hold the lock, tokens rise, and the work goes on', async () => {
    for (const server of ensemble.servers) {
      await server.kill('SIGTERM');
      await load.progresses(RESUMES_WITHIN_MS);
      await server.restart({ waits: false });
      await ensemble.serves();
      await load.progresses(RESUMES_WITHIN_MS);
    }
    load.isSound();
  });

  it('the leader is killed while some wait: they come in in the order in which they came', async () => {
    await load.stop();
    // However long the election takes, nobody gives up, nor loses a place with a session.
    const patient = { sessionTimeoutMs: 10_000, waitMs: 60_000, leaseMs: 60_000 };
    const open = () => managers.open({ connect: ensemble.connect, ...patient });
    const observer = open();
    const first = await open().acquire('order');
    const order: number[] = [];
    const waiting: Promise<void>[] = [];
    for (const n of [1, 2, 3, 4]) {
      waiting.push(open().run('order', async () => void order.push(n)));
      await until('it waits', async () => (await observer.inspect('order')).waiters.length === n);
    }
    const leader = await ensemble.leader();
    await leader.kill();
    await first.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3, 4]);
    await leader.restart({ waits: false });
    await ensemble.serves();
  });
});

describeOnZooKeeper('a follower that has lost the others', () => {
  it('goes on answering that a node is there, and no renewal is taken for confirmed', async () => {
    const ensemble = await startZooKeeperEnsemble({ config: { syncLimit: 100 } });
    const [follower] = await ensemble.followers();
    const backend = new ZooKeeperBackend({ connect: follower!.connect, sessionTimeoutMs: SESSION_MS });
    try {
      const claim = backend.claim({ key: 'a', id: 'x', slots: 1, leaseMs: 1_000 });
      await claim.attempt({ queue: true });
      expect(await claim.renew()).toBe(true);
      for (const server of ensemble.servers) if (server !== follower) server.pause();
      await expect(claim.renew()).rejects.toThrow('no answer');
    } finally {
      for (const server of ensemble.servers) server.resume();
      await backend.close();
      await ensemble.stop();
    }
  });
});

describeOnZooKeeper('a follower that stops right after it has answered', () => {
  it('has not told the leader of the one it answered: that one stops believing before the next one comes in', async () => {
    const timeoutMs = 8_000;
    const config = { maxSessionTimeout: timeoutMs, minSessionTimeout: 400, syncLimit: 100, initLimit: 100 };
    const ensemble = await startZooKeeperEnsemble({ tickMs: 200, config });
    const managers = new LockManagers();
    try {
      const [follower] = await ensemble.followers();
      const leader = await ensemble.leader();
      const open = (connect: string) =>
        managers.open({ connect, sessionTimeoutMs: timeoutMs, waitMs: 40_000, drainMs: 0 });
      const [one, other] = [open(follower!.connect), open(leader.connect)];
      for (const each of [one, other]) await (await each.acquire('x')).release();
      await sleep(timeoutMs / 2);
      const lock = await one.acquire('x');
      follower!.pause();
      const second = await other.acquire('x');
      expect(lock.held).toBe(false);
      expect(second.fencingToken > lock.fencingToken).toBe(true);
      follower!.resume();
      await second.release();
    } finally {
      for (const server of ensemble.servers) server.resume();
      await managers.close();
      await ensemble.stop();
    }
  });
});

/** Several that take turns with one lock, and go on whatever happens. */
class Load {
  private readonly resource = new GuardedResource();
  private readonly stopping = new AbortController();
  private readonly working: Promise<void>[];

  constructor(managers: LockManagers, connect: string) {
    const each = (): Promise<void> =>
      this.work(managers.open({ connect, sessionTimeoutMs: SESSION_MS, waitMs: 60_000, localHandOffs: 0 }));
    this.working = Array.from({ length: 4 }, each);
  }

  async progresses(withinMs = 20_000): Promise<void> {
    const before = this.resource.visits;
    await until('the work goes on', () => this.resource.visits >= before + 8, withinMs);
  }

  isSound(): void {
    const { overlaps, refused, tokensRise, counter, accepted } = this.resource;
    expect({ overlaps, refused, tokensRise, lost: accepted - counter }).toEqual({
      overlaps: 0,
      refused: 0,
      tokensRise: true,
      lost: 0,
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.working);
  }

  private async work(manager: ReturnType<LockManagers['open']>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      // What cannot be had now is tried again.
      await manager
        .run('shared', { signal }, async (lock) => {
          if (lock.held) await this.resource.visit(lock);
        })
        .catch(() => sleep(20));
    }
  }
}
