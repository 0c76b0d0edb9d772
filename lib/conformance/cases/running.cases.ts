import assert from 'node:assert/strict';
import { LockLostError } from '../../core/errors.js';
import { type Lock } from '../../core/lock.js';
import { mutexCase, singleCase } from '../conformance-case.js';
import { first, noFaults } from '../fault-plan.js';

/** Bodies under a lock, and several keys as one lock. */
export const runningCases = [
  mutexCase('run hands out what the body returns, and has released by then', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const manager = await trial.manager({ leaseMs: trial.longMs });
    for (const value of ['done', undefined, 0]) {
      const body = async (): Promise<typeof value> => {
        await trial.lineHas(key, { holders: 1, waiters: 0 });
        return value;
      };
      assert.equal(await manager.run(key, { mode }, body), value);
      await trial.lineHas(key, { holders: 0, waiters: 0 });
    }
  }),

  mutexCase(
    'run rethrows what the body throws, also when the release fails, and the key is free again',
    async (trial) => {
      const { mode } = trial.mutex;
      const key = await trial.mutexKey();
      const { manager, faults } = await trial.faultyNode({ leaseMs: trial.longMs });
      const other = await trial.manager();
      const mistake = new Error('a mistake of the body');
      for (const plan of [noFaults, first(2, 'withdraw', 'fail')]) {
        faults.plan = plan;
        const body = (): never => {
          throw mistake;
        };
        await assert.rejects(manager.run(key, { mode }, body), (error) => error === mistake);
        await other.run(key, { mode }, () => undefined);
      }
    },
  ),

  mutexCase('run does not run the body when the key cannot be had', async (trial) => {
    const { mode } = trial.mutex;
    const key = await trial.mutexKey();
    const [manager, other] = [await trial.manager(), await trial.manager()];
    await trial.getsInAtOnce(manager, key);
    let ran = false;
    const body = (): void => void (ran = true);
    await trial.isUnavailable(() => other.run(key, { mode, waitMs: 50 }, body));
    assert.ok(!ran);
  }),

  mutexCase('run tells that the lock was lost while the body ran, unless loss is to be ignored', async (trial) => {
    const { mode } = trial.mutex;
    const node = await trial.faultyNode({ leaseMs: 2 * trial.leaseMs });
    const body = async ({ key, signal }: Lock): Promise<string> => {
      const [place] = await trial.line(key);
      await trial.claim(node.backend, key, { id: place!.id }).leaves();
      await trial.becomesTrue('the body is told', () => signal.aborted);
      return 'done';
    };
    const telling = trial.meanwhile(node.manager.run(await trial.mutexKey(), { mode }, body));
    const ignoring = node.manager.run(await trial.mutexKey(), { mode, onLost: 'ignore' }, body);
    assert.equal(await ignoring, 'done');
    await assert.rejects(telling, LockLostError);
  }),

  mutexCase('several keys that are asked for in opposite orders do not wait for each other for ever', async (trial) => {
    const { mode } = trial.mutex;
    const keys = [await trial.mutexKey(), await trial.mutexKey(), await trial.mutexKey()];
    const reversed = keys.toReversed();
    const managers = [await trial.manager(), await trial.manager()];
    let inside = 0;
    const runs = Array.from({ length: 10 }, (_, n) =>
      managers[n % 2]!.run(n % 3 === 0 ? keys : reversed, { mode }, async () => {
        inside += 1;
        assert.equal(inside, 1, 'how many are inside together');
        await trial.sleep(1);
        inside -= 1;
      }),
    );
    await Promise.all(runs.map((run) => trial.meanwhile(run)));
  }),

  mutexCase('several keys are had together or not at all', async (trial) => {
    const { mode } = trial.mutex;
    const [one, other, third] = [await trial.mutexKey(), await trial.mutexKey(), await trial.mutexKey()];
    const [manager, rival] = [await trial.manager({ leaseMs: trial.longMs }), await trial.manager()];
    for (const taken of [one, other, third]) {
      const obstacle = await trial.getsInAtOnce(rival, taken);
      await trial.isRefused(manager, [third, one, other]);
      await trial.isUnavailable(() => manager.acquire([one, other, third], { mode, waitMs: 50 }));
      for (const key of [one, other, third]) await trial.lineHas(key, { holders: key === taken ? 1 : 0, waiters: 0 });
      await obstacle.release();
    }
    const lock = await trial.getsInAtOnce(manager, [one, other, third]);
    for (const key of [one, other, third]) {
      assert.ok(lock.fencingTokens.get(key)! > 0n);
      await trial.isRefused(rival, key);
    }
    await lock.release();
    for (const key of [one, other, third]) await trial.getsInAtOnce(rival, key);
  }),

  singleCase('what runs under different keys runs side by side', async (trial) => {
    const manager = await trial.manager();
    let inside = 0;
    const meet = async (): Promise<void> => {
      inside += 1;
      await trial.becomesTrue('three are inside together', () => inside === 3);
    };
    await Promise.all([0, 1, 2].map(() => trial.meanwhile(manager.run(trial.key(), meet))));
  }),
];
