import assert from 'node:assert/strict';
import { type LockManager } from '../../core/lock-manager.js';
import { mutexCase } from '../conformance-case.js';
import { always, type Fault, first, noFaults, randomFaults } from '../fault-plan.js';
import { GuardedCounter } from '../guarded-counter.js';
import { type LockTrial } from '../lock-trial.js';

/**
 * What becomes of locks when calls fail and replies are lost on the way. Where something must be cleaned up, the lease is
 * so long that it cannot merely have ended.
 */
export const faultsCases = [
  mutexCase('an attempt that fails is made again', (trial) => attemptsAgain(trial, 'fail')),

  mutexCase('an attempt whose reply is lost is made again, and joins once', (trial) =>
    attemptsAgain(trial, 'lose-reply'),
  ),

  mutexCase('a try whose reply is lost is neither had nor busy, and leaves no ghost', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const node = await trial.faultyNode({ leaseMs: trial.longMs }, first(1, 'attempt', 'lose-reply'));
    await trial.couldNotAsk(node.manager.tryAcquire(key, { mode }));
    const other = await trial.manager();
    await other.run(key, { mode }, () => undefined);
  }),

  mutexCase('an attempt without an answer ends in LockBackendError, and leaves no ghost', async (trial) => {
    const { mode } = trial.mutex;
    const other = await trial.manager();
    const tries = (['hang', 'no-reply'] as const).map(async (fault) => {
      const key = await trial.mutexKey();
      const node = await trial.faultyNode({ leaseMs: trial.leaseMs }, first(1, 'attempt', fault));
      await trial.couldNotAsk(node.manager.acquire(key, { mode, waitMs: 50 }));
      await other.run(key, { mode }, () => undefined);
    });
    await Promise.all(tries.map((each) => trial.meanwhile(each)));
  }),

  mutexCase('an abort while an attempt is on its way leaves no ghost', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const node = await trial.faultyNode({ leaseMs: trial.longMs }, first(1, 'attempt', { delayMs: 150 }));
    const other = await trial.manager();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const waiting = trial.meanwhile(node.manager.acquire(key, { mode, signal: controller.signal }));
    await trial.sleep(20);
    controller.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    await trial.sleep(300);
    await other.run(key, { mode }, () => undefined);
  }),

  mutexCase('a lock whose renewals fail for a while is kept', async (trial) => {
    const locks = (['fail', 'lose-reply'] as const).map(async (fault) => {
      const key = await trial.mutexKey();
      const leaseMs = 3 * trial.leaseMs;
      const node = await trial.faultyNode({ leaseMs }, first(2, 'renew', fault));
      const other = await trial.manager();
      const events = eventsOf(node.manager);
      const lock = await trial.getsInAtOnce(node.manager, key);
      await trial.becomesTrue('it was renewed after all', () => events.has('renewed'));
      await trial.isRefused(other, key);
      assert.ok(lock.held && events.has('renewal-failed') && !events.has('lost'));
      await lock.release();
    });
    await Promise.all(locks.map((each) => trial.meanwhile(each)));
  }),

  mutexCase('a release that fails is an event, and is tried again until the key is free', (trial) =>
    releasesAgain(trial, 'fail'),
  ),

  mutexCase('a release whose reply is lost frees the key once', (trial) => releasesAgain(trial, 'lose-reply')),

  mutexCase('calls that arrive twice count once', async (trial) => {
    const key = await trial.mutexKey();
    const twice = always(['attempt', 'renew', 'withdraw', 'wake'], 'duplicate');
    const nodes = [await trial.faultyNode({}, twice), await trial.faultyNode({ localHandOffs: 0 }, twice)];
    const managers = nodes.map(({ manager }) => manager);
    const events = managers.map(eventsOf);
    await countTogether(trial, key, managers);
    for (const each of events) assert.ok(!each.has('lost'));
  }),

  mutexCase(
    'a backend that cannot be asked is LockBackendError and no lock, and serves again once it can',
    async (trial) => {
      const { mode } = trial.mutex;
      const key = await trial.mutexKey();
      const node = await trial.faultyNode({}, () => 'fail');
      let ran = false;
      const body = (): void => void (ran = true);
      for (const waitMs of [0, 200]) await trial.couldNotAsk(node.manager.run(key, { mode, waitMs }, body));
      await trial.couldNotAsk(node.manager.inspect(key));
      assert.ok(!ran, 'the body ran without the lock');
      node.faults.plan = noFaults;
      await node.manager.run(key, { mode }, body);
      assert.ok(ran);
    },
  ),

  mutexCase(
    'a wait that ends while the backend cannot be asked is LockBackendError, and leaves no ghost',
    async (trial) => {
      const { mode } = trial.mutex;
      const key = await trial.mutexKey();
      const [holder, node] = [await trial.manager(), await trial.faultyNode({ leaseMs: trial.longMs })];
      const lock = await trial.getsInAtOnce(holder, key);
      const waiting = trial.meanwhile(node.manager.acquire(key, { mode, waitMs: 150 }));
      await trial.lineHas(key, { holders: 1, waiters: 1 });
      node.faults.plan = always(['attempt', 'withdraw'], 'fail');
      await trial.couldNotAsk(waiting);
      node.faults.plan = noFaults;
      await trial.lineHas(key, { holders: 1, waiters: 0 });
      assert.ok(lock.held);
    },
  ),

  mutexCase('a contended counter loses no update while calls fail, are late and arrive twice', async (trial) => {
    const key = await trial.mutexKey();
    const rates = { fail: 0.1, loseReply: 0.1, duplicate: 0.1, delay: 0.2, drop: 0.3 };
    const managers: LockManager[] = [];
    for (const localHandOffs of [0, 2, 16]) {
      // Long enough that no lock is lost to renewals that fail in a row: those would be no bug.
      const options = { localHandOffs, leaseMs: 8 * trial.leaseMs };
      managers.push((await trial.faultyNode(options, randomFaults(localHandOffs, rates))).manager);
    }
    await countTogether(trial, key, managers);
  }),
];

/** Of three managers, those whose attempts go wrong wait in their places all the same. */
async function attemptsAgain(trial: LockTrial, fault: Fault): Promise<void> {
  const { mode } = trial.mutex;
  const key = await trial.mutexKey();
  const managers: LockManager[] = [];
  for (let n = 0; n < 3; n += 1) managers.push((await trial.faultyNode({}, first(2, 'attempt', fault))).manager);
  const served: number[] = [];
  const lock = await managers[0]!.acquire(key, { mode });
  await trial.lineHas(key, { holders: 1, waiters: 0 });
  const callers: Promise<unknown>[] = [];
  for (const n of [1, 2]) {
    callers.push(trial.meanwhile(managers[n]!.run(key, { mode }, () => served.push(n))));
    await trial.lineHas(key, { holders: 1, waiters: n });
  }
  await lock.release();
  await Promise.all(callers);
  assert.deepEqual(served, [1, 2]);
}

async function releasesAgain(trial: LockTrial, fault: Fault): Promise<void> {
  const { mode } = trial.mutex;
  const key = await trial.mutexKey();
  const node = await trial.faultyNode({ leaseMs: trial.longMs }, first(2, 'withdraw', fault));
  const other = await trial.manager();
  const events = eventsOf(node.manager);
  const lock = await trial.getsInAtOnce(node.manager, key);
  const waiting = trial.meanwhile(other.acquire(key, { mode }));
  await trial.lineHas(key, { holders: 1, waiters: 1 });
  await lock.release();
  assert.ok(events.has('release-failed'));
  const next = await waiting;
  await trial.becomesTrue('the withdrawal has been repeated', () => node.faults.count('withdraw') >= 3);
  await trial.lineHas(key, { holders: 1, waiters: 0 });
  assert.ok(next.held);
}

async function countTogether(trial: LockTrial, key: string, managers: readonly LockManager[]): Promise<void> {
  const counter = new GuardedCounter(trial);
  const { mode } = trial.mutex;
  const add = (manager: LockManager): Promise<void> =>
    manager.run(key, { mode }, ({ fencingToken }) => counter.add(fencingToken));
  const additions = managers.flatMap((manager) => Array.from({ length: 4 }, () => trial.meanwhile(add(manager))));
  await Promise.all(additions);
  counter.assertExact(additions.length);
}

/** The types of the events of a manager, as they come. */
function eventsOf(manager: LockManager): ReadonlySet<string> {
  const types = new Set<string>();
  manager.subscribe(({ type }) => void types.add(type));
  return types;
}
