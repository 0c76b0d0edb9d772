import assert from 'node:assert/strict';
import { type Lock } from '../../core/lock.js';
import { type LockManager } from '../../core/lock-manager.js';
import { mutexCase, singleCase } from '../conformance-case.js';
import { always } from '../fault-plan.js';
import { type LockTrial } from '../lock-trial.js';

/** In which order callers are served, and what is left of those who give up. */
export const waitingCases = [
  mutexCase('without local hand-offs all callers of all managers are served in order', async (trial) => {
    const key = await trial.mutexKey();
    const [one, other] = [await trial.manager({ localHandOffs: 0 }), await trial.manager({ localHandOffs: 0 })];
    const lock = await one.acquire(key, { mode: trial.mutex.mode });
    const served: number[] = [];
    const callers: Promise<void>[] = [];
    for (const [n, manager] of [one, other, one, one, other, one].entries()) {
      callers.push(trial.meanwhile(manager.run(key, { mode: trial.mutex.mode }, () => void served.push(n))));
      await trial.lineHas(key, { holders: 1, waiters: n + 1 });
    }
    await lock.release();
    await Promise.all(callers);
    assert.deepEqual(served, [0, 1, 2, 3, 4, 5]);
  }),

  singleCase('local hand-offs do not keep other managers out for longer than they may', async (trial) => {
    const key = trial.key();
    const [busy, other] = [await trial.manager({ localHandOffs: 2 }), await trial.manager()];
    const lock = await busy.acquire(key);
    const served: string[] = [];
    const run = (manager: LockManager, name: string): Promise<void> =>
      trial.meanwhile(manager.run(key, () => void served.push(name)));
    const callers = Array.from({ length: 8 }, () => run(busy, 'busy'));
    callers.push(run(other, 'other'));
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    await lock.release();
    await Promise.all(callers);
    assert.ok(served.indexOf('other') <= 2, `served in this order: ${served.join(', ')}`);
  }),

  mutexCase('a wait that is over is LockUnavailableError, not before its time, and leaves no trace', async (trial) => {
    const { key, lock, other } = await held(trial);
    const startedAt = trial.now();
    await trial.isUnavailable(() => other.acquire(key, { mode: trial.mutex.mode, waitMs: 200 }));
    const waitedMs = trial.now() - startedAt;
    assert.ok(waitedMs >= 199, `it was over after ${waitedMs} ms instead of 200 ms`);
    await trial.lineHas(key, { holders: 1, waiters: 0 });
    assert.ok(lock.held);
    await lock.release();
    await trial.getsInAtOnce(other, key);
  }),

  mutexCase('a try while the key is held leaves no trace', async (trial) => {
    const { key, lock, manager, other } = await held(trial);
    for (const each of [manager, other, other]) await trial.isRefused(each, key);
    await trial.lineHas(key, { holders: 1, waiters: 0 });
    await lock.release();
    await trial.lineHas(key, { holders: 0, waiters: 0 });
    await trial.getsInAtOnce(other, key);
  }),

  mutexCase('an aborted wait rejects with the reason of the signal and leaves no trace', async (trial) => {
    const { key, lock, manager, other } = await held(trial);
    const { waiting, abort, reason } = abortable(trial, other, key);
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    abort();
    await assert.rejects(waiting, (error) => error === reason);
    await trial.lineHas(key, { holders: 1, waiters: 0 });
    await lock.release();
    await trial.getsInAtOnce(manager, key);
  }),

  mutexCase('a waiter that aborts makes room for the one behind it', async (trial) => {
    const { key, lock, other } = await held(trial);
    const third = await trial.manager();
    const { waiting, abort, reason } = abortable(trial, other, key);
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    const next = trial.meanwhile(third.acquire(key, { mode: trial.mutex.mode }));
    await trial.lineHas(key, { holders: 1, waiters: 2 });
    abort();
    await assert.rejects(waiting, (error) => error === reason);
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    await lock.release();
    assert.ok((await next).held);
  }),

  mutexCase('a signal that was aborted before asks the backend nothing', async (trial) => {
    const key = await trial.mutexKey();
    const { manager, faults } = await trial.faultyNode();
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(manager.acquire(key, { mode: trial.mutex.mode, signal }), (error) => error === reason);
    assert.equal(faults.calls.length, 0, 'how often the backend was asked');
  }),

  mutexCase('a signal that aborts after the lock was had does nothing to it', async (trial) => {
    const key = await trial.mutexKey();
    const [manager, other] = [await trial.manager(), await trial.manager()];
    const { waiting, abort } = abortable(trial, manager, key);
    const lock = await waiting;
    abort();
    await trial.sleep(20);
    assert.ok(lock.held && !lock.signal.aborted);
    await trial.isRefused(other, key);
    await lock.release();
  }),

  mutexCase('a wait that ends just when the key is released leaves no ghost', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const [manager, other] = [await trial.manager(), await trial.manager({ leaseMs: trial.longMs })];
    for (let times = 0; times < 12; times += 1) {
      // What was under way when the other gave up may join after a look at the line, and leaves by itself: no ghost, if soon.
      const lock = await manager.acquire(key, { mode });
      const controller = new AbortController();
      const { signal } = controller;
      const byTime = times % 2 === 0;
      const waiting = trial.meanwhile(other.acquire(key, byTime ? { mode, waitMs: 10 } : { mode, signal }));
      await trial.sleep(8 + (times % 4));
      const released = lock.release();
      if (!byTime) controller.abort(new Error('enough'));
      await released;
      const late = await waiting.catch(() => undefined);
      await late?.release();
      await trial.lineHas(key, { holders: 0, waiters: 0 });
    }
  }),

  mutexCase('waiting works when every wake is lost', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const { leaseMs } = trial;
    const nodes = [await trial.faultyNode({ leaseMs }), await trial.faultyNode({ leaseMs, localHandOffs: 0 })];
    for (const { faults } of nodes) faults.plan = always('wake', 'fail');
    let served = 0;
    const callers = nodes.map(({ manager }) =>
      manager.run(key, { mode }, async () => {
        await trial.sleep(20);
        served += 1;
      }),
    );
    await Promise.all(callers.map((caller) => trial.meanwhile(caller)));
    assert.equal(served, 2);
  }),

  mutexCase('a caller that waits is served soon after the key is released', async (trial) => {
    const { key, lock } = await held(trial);
    const other = await trial.manager();
    const waiting = trial.meanwhile(other.acquire(key, { mode: trial.mutex.mode, waitMs: Infinity }));
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    await lock.release();
    const next = await waiting;
    assert.ok(next.held && !lock.held);
    assert.ok(next.fencingToken > lock.fencingToken);
  }),
];

/** A key that one manager holds, and another manager, whose claims do not end by themselves while the case runs. */
async function held(trial: LockTrial): Promise<{ key: string; lock: Lock; manager: LockManager; other: LockManager }> {
  const key = await trial.mutexKey();
  const [manager, other] = [await trial.manager(), await trial.manager({ leaseMs: trial.longMs })];
  const lock = await manager.acquire(key, { mode: trial.mutex.mode });
  return { key, lock, manager, other };
}

function abortable(
  trial: LockTrial,
  manager: LockManager,
  key: string,
): { waiting: Promise<Lock>; abort: () => void; reason: Error } {
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const waiting = trial.meanwhile(manager.acquire(key, { mode: trial.mutex.mode, signal: controller.signal }));
  return { waiting, abort: () => controller.abort(reason), reason };
}
