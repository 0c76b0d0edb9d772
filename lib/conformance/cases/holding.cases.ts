import assert from 'node:assert/strict';
import { LockLostError, type LossReason } from '../../core/errors.js';
import { type Lock } from '../../core/lock.js';
import { type LockManager } from '../../core/lock-manager.js';
import { mutexCase, singleCase } from '../conformance-case.js';
import { always, noFaults } from '../fault-plan.js';
import { type FaultyNode, type LockTrial } from '../lock-trial.js';

/** How long a lock is held, how it ends, and that its end is nobody else's. */
export const holdingCases = [
  mutexCase('a lock is renewed past its lease, and its token stays', async (trial) => {
    const key = await trial.mutexKey();
    const leaseMs = 1.5 * trial.leaseMs;
    const [manager, other] = [await trial.manager({ leaseMs }), await trial.manager()];
    const lock = await trial.getsInAtOnce(manager, key);
    const { fencingToken } = lock;
    const until = trial.now() + 1.4 * leaseMs;
    while (trial.now() < until) {
      await trial.sleep(leaseMs / 5);
      await trial.isRefused(other, key);
      lock.assertHeld();
    }
    assert.equal(lock.fencingToken, fencingToken);
    await trial.releases(lock);
    await trial.getsInAtOnce(other, key);
  }),

  singleCase('a lock that is retained is had again by its process, and by another that wants it', async (trial) => {
    const key = trial.key();
    const retainMs = 2 * trial.leaseMs;
    const managers = [await trial.manager({ retainMs }), await trial.manager({ retainMs })];
    let last = 0n;
    for (let turn = 0; turn < 6; turn += 1) {
      for (let times = 0; times < 3; times += 1) {
        const lock = await managers[turn % 2]!.acquire(key);
        assert.ok(lock.held && lock.fencingToken > last, 'a token that is larger than the one before');
        last = lock.fencingToken;
        await trial.releases(lock);
      }
    }
    await Promise.all(managers.map((manager) => manager.close()));
    await trial.lineHas(key, { holders: 0, waiters: 0 });
  }),

  mutexCase('whoever is cut off stops believing before the next one is let in', async (trial) => {
    const { old, next } = await takenOver(trial);
    assert.ok(old.lock.signal.aborted && old.lock.signal.reason instanceof LockLostError);
    assert.equal(old.lock.remainingMs, 0);
    assert.throws(() => old.lock.assertHeld(), LockLostError);
    assert.ok(next.lock.held);
  }),

  mutexCase('a lost lock that is released takes nothing from the next holder, whose token is larger', async (trial) => {
    const { key, old, next, reconnect } = await takenOver(trial);
    await reconnect();
    assert.equal(await old.lock.release(), false, 'whether it was held until it was released');
    // Whatever the old holder still had to say has been said by now.
    await trial.sleep(200);
    assert.ok(next.lock.held && !next.lock.signal.aborted);
    assert.ok(next.lock.fencingToken > old.lock.fencingToken, 'the token of the next holder');
    await trial.lineHas(key, { holders: 1, waiters: 0 });
    await trial.isRefused(old.manager, key);
    await trial.releases(next.lock);
    const regained = await trial.getsInAtOnce(old.manager, key);
    assert.ok(regained.fencingToken > next.lock.fencingToken, 'the token after that');
  }),

  mutexCase('a lock whose renewals hang is lost when its lease ends, and then free', async (trial) => {
    const { key, node, lock } = await heldByNode(trial, trial.leaseMs);
    node.faults.plan = always('renew', 'hang');
    await lostBy(trial, lock, 'lease-ended');
    node.faults.plan = noFaults;
    const other = await trial.manager();
    await other.acquire(key, { mode: trial.mutex.mode });
  }),

  mutexCase('a renewal that is confirmed too late does not revive a lock', async (trial) => {
    const { key, node, lock } = await heldByNode(trial, trial.leaseMs);
    const leaseMs = lock.remainingMs;
    node.faults.plan = always('renew', { replyDelayMs: leaseMs });
    await lostBy(trial, lock, 'lease-ended');
    await trial.sleep(leaseMs / 2);
    assert.ok(!lock.held);
    const other = await trial.manager();
    await other.acquire(key, { mode: trial.mutex.mode });
    assert.equal(await lock.release(), false, 'whether it was held until it was released');
  }),

  mutexCase('a lock whose claim is gone is lost at the next renewal', async (trial) => {
    const { key, node, lock } = await heldByNode(trial, 2 * trial.leaseMs);
    const [place] = await trial.line(key);
    await trial.claim(node.backend, key, { id: place!.id }).leaves();
    await lostBy(trial, lock, 'claim-gone');
    assert.equal(await lock.release(), false, 'whether it was held until it was released');
    await trial.getsInAtOnce(node.manager, key);
  }),

  mutexCase('releasing is done once, however often it is asked for, and frees nobody else', async (trial) => {
    const key = await trial.mutexKey();
    const { manager, faults } = await trial.faultyNode();
    const other = await trial.manager();
    const lock = await trial.getsInAtOnce(manager, key);
    const { signal } = lock;
    const answers = await Promise.all([lock.release(), lock.release(), lock[Symbol.asyncDispose](), lock.release()]);
    assert.deepEqual(answers, [true, true, undefined, true]);
    assert.equal(faults.count('withdraw'), 1, 'how often the claim was withdrawn');
    const next = await trial.getsInAtOnce(other, key);
    assert.equal(await lock.release(), true);
    await trial.isRefused(manager, key);
    assert.ok(next.held && !lock.held && !signal.aborted);
  }),

  mutexCase('tokens rise over releases, hand-offs and an empty line', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const managers = [await trial.manager(), await trial.manager({ localHandOffs: 0 })];
    const tokens: bigint[] = [];
    const run = (manager: LockManager): Promise<void> =>
      manager.run(key, { mode }, async ({ fencingToken }) => void tokens.push(fencingToken));
    for (let times = 0; times < 3; times += 1) {
      await Promise.all([...managers, ...managers].map(run));
      await trial.lineHas(key, { holders: 0, waiters: 0 });
      await run(managers[times % 2]!);
    }
    for (const [n, token] of tokens.entries()) {
      assert.ok(token > 0n && token < 2n ** 63n, `${token} does not fit a signed 64-bit column`);
      if (n > 0) assert.ok(token > tokens[n - 1]!, `${tokens.join(', ')} should rise`);
    }
  }),

  singleCase('every sharer has a token of its own, in order of admission', async (trial) => {
    const managers = [await trial.manager(), await trial.manager()];
    for (const mode of ['shared', { limit: 4 }] as const) {
      const key = trial.key();
      let last = 0n;
      for (const n of [0, 1, 0, 1]) {
        const { fencingToken } = await managers[n]!.acquire(key, { mode });
        assert.ok(fencingToken > last, `the token ${fencingToken} follows ${last}`);
        last = fencingToken;
      }
    }
  }),
];

interface TakenOver {
  readonly key: string;
  readonly old: { readonly lock: Lock; readonly manager: LockManager };
  readonly next: { readonly lock: Lock };
  readonly reconnect: () => Promise<void>;
}

/** A key that another manager got because its holder was cut off, at the moment when it got it. */
async function takenOver(trial: LockTrial): Promise<TakenOver> {
  const { mode } = trial.mutex;
  const key = await trial.mutexKey();
  const { manager, cutOff } = await trial.faultyNode({ leaseMs: trial.leaseMs });
  const other = await trial.manager();
  const lock = await trial.getsInAtOnce(manager, key);
  const waiting = trial.meanwhile(other.acquire(key, { mode }).then((next) => ({ next, stillHeld: lock.held })));
  const reconnect = await cutOff();
  const { next, stillHeld } = await waiting;
  assert.ok(!stillHeld, 'two believed that they held the key');
  return { key, old: { lock, manager }, next: { lock: next }, reconnect };
}

async function heldByNode(trial: LockTrial, leaseMs: number): Promise<{ key: string; node: FaultyNode; lock: Lock }> {
  const key = await trial.mutexKey();
  const node = await trial.faultyNode({ leaseMs });
  const lock = await trial.getsInAtOnce(node.manager, key);
  return { key, node, lock };
}

async function lostBy(trial: LockTrial, lock: Lock, reason: LossReason): Promise<void> {
  const { signal } = lock;
  await trial.becomesTrue('the lock is lost', () => signal.aborted);
  assert.ok(!lock.held);
  assert.ok(signal.reason instanceof LockLostError);
  assert.equal(signal.reason.reason, reason);
}
