import assert from 'node:assert/strict';
import { mutexCase, singleCase } from '../conformance-case.js';
import { GuardedCounter } from '../guarded-counter.js';

/** Nobody is inside together with more than its mode allows. */
export const exclusionCases = [
  singleCase('without a lock, the counter that the next cases guard loses updates', async (trial) => {
    const counter = new GuardedCounter(trial);
    await Promise.all(Array.from({ length: 24 }, () => counter.add()));
    assert.throws(() => counter.assertExact(24), /inside together/);
    assert.ok(counter.value < 24, `the counter is at ${counter.value} after 24 additions`);
  }),

  mutexCase('a contended counter loses no update, and its tokens rise', async (trial) => {
    const key = await trial.mutexKey();
    const { mode } = trial.mutex;
    const managers = [
      await trial.manager(),
      await trial.manager({ localHandOffs: 2 }),
      await trial.manager({ localHandOffs: 0 }),
    ];
    const counter = new GuardedCounter(trial);
    const additions = managers.flatMap((manager) =>
      Array.from({ length: 8 }, () => manager.run(key, { mode }, ({ fencingToken }) => counter.add(fencingToken))),
    );
    await Promise.all(additions);
    counter.assertExact(24);
  }),

  mutexCase('two contended counters under two keys lose no update', async (trial) => {
    const { mode } = trial.mutex;
    const guarded = [await trial.mutexKey(), await trial.mutexKey()].map((key) => ({
      key,
      counter: new GuardedCounter(trial),
    }));
    const managers = [await trial.manager(), await trial.manager()];
    const worker = async (n: number): Promise<void> => {
      for (let times = 0; times < 6; times += 1) {
        const { key, counter } = guarded[(n + times) % 2]!;
        await managers[n % 2]!.run(key, { mode }, ({ fencingToken }) => counter.add(fencingToken));
      }
    };
    await Promise.all([0, 1, 2, 3].map(worker));
    for (const { counter } of guarded) counter.assertExact(12);
  }),

  mutexCase(
    'a key that is held is refused to every other caller, and free again once it is released',
    async (trial) => {
      const [key, other] = [await trial.mutexKey(), await trial.mutexKey()];
      const managers = [await trial.manager(), await trial.manager()];
      for (let times = 0; times < 6; times += 1) {
        const lock = await trial.getsInAtOnce(managers[times % 2]!, key);
        for (const manager of managers) await trial.isRefused(manager, key);
        const lockOfOther = await trial.getsInAtOnce(managers[1]!, other);
        await lock.release();
        await trial.isRefused(managers[0]!, other);
        await lockOfOther.release();
      }
    },
  ),

  singleCase('a limit of n is reached, and never passed', async (trial) => {
    const key = trial.key();
    const managers = [await trial.manager(), await trial.manager()];
    let inside = 0;
    let most = 0;
    const tokens = new Set<bigint>();
    const callers = Array.from({ length: 12 }, async (_, n) =>
      managers[n % 2]!.run(key, { mode: { limit: 3 } }, async ({ fencingToken }) => {
        tokens.add(fencingToken);
        inside += 1;
        most = Math.max(most, inside);
        await trial.becomesTrue('three are inside together', () => most >= 3);
        await trial.sleep(2);
        inside -= 1;
      }),
    );
    await Promise.all(callers.map((caller) => trial.meanwhile(caller)));
    assert.equal(most, 3, 'how many were inside together');
    assert.equal(tokens.size, 12, 'how many tokens there were');
  }),

  singleCase('readers share, a waiting writer stops later readers, and each has its own token', async (trial) => {
    const key = trial.key();
    const managers = [await trial.manager(), await trial.manager(), await trial.manager()];
    const [one, other, third] = managers as [(typeof managers)[0], (typeof managers)[0], (typeof managers)[0]];
    const early = [await one.acquire(key, { mode: 'shared' }), await other.acquire(key, { mode: 'shared' })];
    const writing = trial.meanwhile(third.acquire(key));
    await trial.lineHas(key, { holders: 2, waiters: 1 });
    const lateReading = trial.meanwhile(one.acquire(key, { mode: 'shared' }));
    await trial.lineHas(key, { holders: 2, waiters: 2 });
    await trial.isRefused(other, key, { mode: 'shared' });
    await early[0]!.release();
    await trial.lineHas(key, { holders: 1, waiters: 2 });
    await early[1]!.release();
    const writer = await writing;
    await trial.lineHas(key, { holders: 1, waiters: 1 });
    await writer.release();
    const late = await lateReading;
    const tokens = [...early, writer, late].map(({ fencingToken }) => fencingToken);
    for (const [n, token] of tokens.entries())
      if (n > 0) assert.ok(token > tokens[n - 1]!, `${tokens.join(', ')} should rise`);
  }),
];
