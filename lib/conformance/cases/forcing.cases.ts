import assert from 'node:assert/strict';
import { LockLostError, LockUnavailableError } from '../../core/errors.js';
import { mutexCase } from '../conformance-case.js';
import { type LockTrial } from '../lock-trial.js';

/** How a lock is taken away from whoever has it, or waits for it. */
export const forcingCases = [
  mutexCase('a lock that is forced away is lost for that reason, and the next token is larger', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const [holder, next, other] = await managers(trial);
    const lock = await trial.getsInAtOnce(holder, key);
    const waiting = trial.meanwhile(next.acquire(key, { mode }));
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    await force(trial, other, key, 0);
    const gained = await waiting;
    await trial.becomesTrue('the lock is lost', () => lock.signal.aborted);
    assert.ok(lock.signal.reason instanceof LockLostError);
    assert.equal(lock.signal.reason.reason, 'forced');
    assert.ok(gained.fencingToken > lock.fencingToken, 'the token of the next holder');
    assert.equal(await lock.release(), false, 'whether it was held until it was released');
    assert.ok(gained.held, 'the next holder holds');
    await trial.lineHas(key, { holders: 1, waiters: 0 });
    await trial.releases(gained);
    await trial.getsInAtOnce(holder, key);
  }),

  mutexCase('a waiter that is forced away is told so, and those behind it stay', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const [holder, second, third] = await managers(trial);
    const lock = await trial.getsInAtOnce(holder, key);
    const forced = trial.meanwhile(second.acquire(key, { mode }));
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    const behind = trial.meanwhile(third.acquire(key, { mode }));
    await trial.lineHas(key, { holders: 1, waiters: 2 });
    await force(trial, holder, key, 1);
    const error = await forced.then(
      () => assert.fail('it should have been rejected'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof LockUnavailableError, String(error));
    assert.equal(error.reason, 'forced');
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    assert.ok(lock.held, 'the holder holds');
    await trial.releases(lock);
    await trial.releases(await behind);
  }),
];

async function managers(trial: LockTrial) {
  const leaseMs = 3 * trial.leaseMs;
  const make = () => trial.manager({ leaseMs });
  return [await make(), await make(), await make()] as const;
}

/** Takes away the claim of that rank, those not counted that hold the key for as long as the case runs. */
async function force(trial: LockTrial, by: Awaited<ReturnType<LockTrial['manager']>>, key: string, rank: number) {
  const { id } = (await trial.line(key))[rank]!;
  const { answer } = await trial.ask(() => by.inspect(key));
  const entry = [...answer.holders, ...answer.waiters].find(({ claim }) => id.endsWith(claim.replace('…', '')))!;
  const { answer: removed, repeated } = await trial.ask(() => by.forceRelease(key, entry));
  if (!repeated) assert.equal(removed, true, 'whether it was in line when it was taken away');
}
