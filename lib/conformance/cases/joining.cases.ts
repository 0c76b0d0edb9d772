import assert from 'node:assert/strict';
import { mutexCase, singleCase } from '../conformance-case.js';

/** How a claim gets into the line, and that asking again is no second claim. */
export const joiningCases = [
  mutexCase('a claim on a free key is in at once', async (trial) => {
    const key = await trial.mutexKey();
    const claim = trial.claim(await trial.connect(), key);
    await claim.holds();
    await trial.lineHas(key, { holders: 1, waiters: 0 });
  }),

  mutexCase(
    'a second claim waits, whichever client it comes from, and is in once the first has left',
    async (trial) => {
      const key = await trial.mutexKey();
      const [here, there] = await trial.connectTwo();
      for (const client of [here, there]) {
        const holder = trial.claim(here, key);
        const waiter = trial.claim(client, key);
        await holder.holds();
        await waiter.waits(1);
        await holder.leaves();
        await waiter.holds();
        await waiter.leaves();
      }
    },
  ),

  mutexCase('asking again is not joining again, for a holder or for a waiter', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    const { place } = await holder.holds();
    for (let times = 0; times < 3; times += 1) {
      await waiter.waits(1);
      assert.equal((await holder.holds()).place, place, 'the place of a holder that asks again');
    }
    await trial.lineIs(key, holder, waiter);
    await holder.leaves();
    await holder.hasLeft();
    await waiter.holds();
  }),

  mutexCase('a second object for the same request is the same claim', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    const { place } = await holder.holds();
    await waiter.waits(1);
    const sameHolder = trial.claim(here, key, { id: holder.id });
    const sameWaiter = trial.claim(there, key, { id: waiter.id });
    assert.equal((await sameHolder.holds()).place, place, 'the place of the same claim');
    await sameWaiter.waits(1);
    await sameHolder.renews();
    await trial.lineIs(key, holder, waiter);
    await sameHolder.leaves();
    await holder.hasLeft();
    await waiter.holds();
  }),

  mutexCase('a try that is refused leaves no trace and does not disturb the holder', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const { place } = await holder.holds();
    const leaseLeftMs = async (): Promise<number> => (await trial.line(key))[0]!.leaseLeftMs;
    const before = await leaseLeftMs();
    for (const client of [here, there, there]) {
      const hasty = trial.claim(client, key, { leaseMs: trial.leaseMs });
      await hasty.isRefused();
      await hasty.hasLeft();
    }
    const after = await leaseLeftMs();
    assert.ok(after > before / 2, `${after} ms of its lease left, and ${before} ms before the tries`);
    const standing = await holder.holds();
    assert.equal(standing.place, place, 'the place of the holder');
    assert.equal(standing.waiting, 0, 'how many wait behind the holder');
    await trial.lineIs(key, holder);
    await holder.leaves();
    await trial.lineIs(key);
  }),

  mutexCase('a last try takes a claim that has waited out of line', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const tired = trial.claim(there, key);
    const patient = trial.claim(there, key);
    await holder.holds();
    await tired.waits(1);
    await patient.waits(2);
    await tired.isRefused();
    await trial.lineIs(key, holder, patient);
    await tired.hasLeft();
    await patient.waits(1);
    await holder.leaves();
    await patient.holds();
  }),

  mutexCase('a try that is let in stays in, whether it has waited or not', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const hasty = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    const { place } = await hasty.getsInAtOnce();
    await waiter.waits(1);
    assert.equal((await hasty.getsInAtOnce()).place, place, 'the place of a try that is repeated');
    await hasty.leaves();
    await waiter.getsInAtOnce();
    await trial.claim(here, key).isRefused();
    await trial.lineIs(key, waiter);
  }),

  mutexCase('a key can be claimed again as soon as it was left, time and again', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    for (let times = 0; times < 10; times += 1) {
      const holder = trial.claim(here, key);
      await holder.getsInAtOnce();
      await trial.claim(there, key).isRefused();
      await holder.leaves();
    }
  }),

  mutexCase('of claims that join at the same time one is in, and the others stand in one line', async (trial) => {
    const key = await trial.mutexKey();
    const clients = await trial.connectTwo();
    const claims = Array.from({ length: 12 }, (_, n) => trial.claim(clients[n % 2]!, key));
    const standings = await Promise.all(claims.map((claim) => claim.asks()));
    const ahead = standings.map((standing) => (standing.held ? 0 : standing.ahead - trial.taken(key)));
    assert.deepEqual(
      ahead.toSorted((a, b) => a - b),
      claims.map((_, rank) => rank),
      'how many stand ahead of each',
    );
    await trial.lineIs(key, ...claims.toSorted((a, b) => ahead[claims.indexOf(a)]! - ahead[claims.indexOf(b)]!));
  }),

  mutexCase('a claim tells how many stand ahead of it and how many wait behind', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    assert.equal((await holder.holds()).waiting, 0);
    const waiters = [];
    for (let ahead = 1; ahead <= 4; ahead += 1) {
      const waiter = trial.claim(there, key);
      await waiter.waits(ahead);
      waiters.push(waiter);
      assert.equal((await holder.holds()).waiting, ahead);
    }
    await holder.leaves();
    for (const [ahead, waiter] of waiters.entries()) {
      if (ahead === 0) assert.equal((await waiter.holds()).waiting, 3);
      else await waiter.waits(ahead);
    }
  }),

  mutexCase('whoever waits is told when to ask again, and is in line until then', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    // What the backend makes of a lease as short as that of those who wait.
    const { leaseMs } = await trial.claim(here, trial.key(), { leaseMs: trial.leaseMs }).holds();
    await trial.claim(here, key).holds();
    for (const ahead of [1, 2]) {
      const waiter = trial.claim(there, key, { leaseMs: trial.leaseMs });
      const { askAgainMs } = await waiter.waits(ahead);
      assert.ok(askAgainMs > 0, `asking again after ${askAgainMs} ms would be asking without a pause`);
      assert.ok(
        askAgainMs <= 2 * leaseMs,
        `asking again after ${askAgainMs} ms is too late for a lease of ${leaseMs} ms`,
      );
      await trial.sleep(askAgainMs);
      const line = await trial.ask(() => there.inspect(key));
      assert.ok(
        line.answer.some(({ id }) => id === waiter.id),
        `after ${askAgainMs} ms it is out of line`,
      );
      await waiter.leaves();
      await trial.claim(there, key, { leaseMs: trial.leaseMs }).waits(ahead);
    }
  }),

  singleCase('two keys of one client have nothing to do with each other', async (trial) => {
    const [here, there] = await trial.connectTwo();
    const [one, other] = [trial.key(), trial.key()];
    const holderOfOne = trial.claim(here, one);
    const holderOfOther = trial.claim(here, other);
    await holderOfOne.holds();
    await holderOfOther.holds();
    await holderOfOne.leaves();
    await trial.claim(there, other).isRefused();
    await holderOfOther.renews();
    await trial.claim(there, one).holds();
  }),

  singleCase('the same id on two keys is two claims', async (trial) => {
    const client = await trial.connect();
    const one = trial.claim(client, trial.key());
    const other = trial.claim(client, trial.key(), { id: one.id });
    await one.holds();
    await other.holds();
    await one.leaves();
    await other.renews();
    await other.leaves();
  }),
];
