import assert from 'node:assert/strict';
import { type Claimant } from '../claimant.js';
import { mutexCase, singleCase } from '../conformance-case.js';

/**
 * How silence ends a claim. Whoever falls silent has a client of its own, because in a session-based backend it is the
 * client that falls silent. A lease may end late, but not for ever, and never early.
 */
export const leasesCases = [
  mutexCase('a silent holder is out when its lease has ended, and not sooner', async (trial) => {
    const key = await trial.mutexKey();
    const [client, other] = await trial.connectTwo();
    const dead = trial.claim(client, key, { leaseMs: trial.leaseMs });
    const waiter = trial.claim(other, key);
    const { leaseMs } = await dead.holds();
    await trial.silence(client);
    await waiter.comesIn();
    dead.assertLeaseEnded(leaseMs);
    await trial.lineIs(key, waiter);
  }),

  mutexCase('a silent waiter holds up the line until its lease has ended, and not for ever', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const client = await trial.connect();
    const holder = trial.claim(here, key);
    const dead = trial.claim(client, key, { leaseMs: trial.leaseMs });
    const waiter = trial.claim(there, key);
    const { leaseMs } = await holder.holds();
    await dead.waits(1);
    await trial.silence(client);
    await waiter.asks();
    await holder.leaves();
    await waiter.comesIn();
    dead.assertLeaseEnded(Math.min(leaseMs, trial.leaseMs));
    await trial.lineIs(key, waiter);
  }),

  mutexCase(
    'a silent waiter is out of line when its lease has ended, and leaves the others as they are',
    async (trial) => {
      const key = await trial.mutexKey();
      const [here, client] = await trial.connectTwo();
      const holder = trial.claim(here, key);
      const dead = trial.claim(client, key, { leaseMs: trial.leaseMs });
      const waiter = trial.claim(here, key);
      const { leaseMs, place } = await holder.holds();
      await dead.waits(1);
      const speak = await trial.silence(client);
      const movedUp = async (): Promise<boolean> => {
        const standing = await waiter.asks();
        return !standing.held && standing.ahead === 1 + trial.taken(key);
      };
      await trial.becomesTrue('the waiter behind it moves up', movedUp);
      dead.assertLeaseEnded(Math.min(leaseMs, trial.leaseMs));
      assert.equal((await holder.holds()).place, place, 'the place of the holder');
      await trial.lineIs(key, holder, waiter);
      await speak();
      await dead.hasLeft();
    },
  ),

  singleCase('a silent sharer gives its slot back without touching the others', async (trial) => {
    for (const slots of [3, Infinity]) {
      const key = trial.key();
      const [client, other] = await trial.connectTwo();
      const alive = [trial.claim(other, key, { slots }), trial.claim(other, key, { slots })];
      const dead = trial.claim(client, key, { slots, leaseMs: trial.leaseMs });
      const waiter = trial.claim(other, key, { slots: 3 });
      const before = [(await alive[0]!.holds()).place];
      const { leaseMs } = await dead.holds();
      before.push((await alive[1]!.holds()).place);
      await trial.silence(client);
      await waiter.comesIn();
      dead.assertLeaseEnded(leaseMs);
      for (const [n, sharer] of alive.entries())
        assert.equal((await sharer.holds()).place, before[n], 'the place of a sharer');
      await trial.lineIs(key, ...alive, waiter);
    }
  }),

  mutexCase('renewals keep a holder in past its lease', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const leaseMs = 1.5 * trial.leaseMs;
    const holder = trial.claim(here, key, { leaseMs });
    const { place } = await holder.holds();
    const until = trial.now() + 1.4 * leaseMs;
    while (trial.now() < until) {
      await trial.sleep(leaseMs / 10);
      await holder.renews();
      await trial.claim(there, key).isRefused();
    }
    assert.equal((await holder.holds()).place, place, 'its place after the renewals');
  }),

  mutexCase('asking keeps holders and waiters in line past their lease', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const leaseMs = 1.5 * trial.leaseMs;
    const holder = trial.claim(here, key, { leaseMs });
    const waiter = trial.claim(there, key, { leaseMs });
    const later = trial.claim(here, key);
    const { place } = await holder.holds();
    await waiter.waits(1);
    await later.waits(2);
    const until = trial.now() + 1.4 * leaseMs;
    while (trial.now() < until) {
      await trial.sleep(leaseMs / 10);
      assert.equal((await holder.holds()).place, place, 'the place of a holder that asks');
      await waiter.waits(1);
    }
    await holder.leaves();
    await later.waits(1);
    await waiter.holds();
  }),

  mutexCase(
    'a claim whose lease has ended cannot be renewed or withdrawn, and takes nothing from the next',
    async (trial) => {
      const key = await trial.mutexKey();
      const [client, other] = await trial.connectTwo();
      const late = trial.claim(client, key, { leaseMs: trial.leaseMs });
      const next = trial.claim(other, key);
      await late.holds();
      const speak = await trial.silence(client);
      const { place } = await next.comesIn();
      await speak();
      await late.renewsInVain();
      await late.hasLeft();
      assert.equal((await next.holds()).place, place, 'the place of the next holder');
      await next.renews();
      await trial.lineIs(key, next);
    },
  ),

  singleCase('a lease ends even when nobody else comes', async (trial) => {
    const [client, other] = await trial.connectTwo();
    const claim = (): Claimant => trial.claim(client, trial.key(), { leaseMs: trial.leaseMs });
    const [renewing, withdrawing, asking] = [claim(), claim(), claim()];
    await renewing.holds();
    await withdrawing.holds();
    const { leaseMs, place } = await asking.holds();
    const speak = await trial.silence(client);
    await trial.sleep(2 * leaseMs);
    await speak();
    await renewing.renewsInVain();
    await withdrawing.hasLeft();
    const regained = await asking.holds();
    assert.ok(regained.place > place, `the place ${regained.place} follows ${place}`);
    await trial.claim(other, renewing.request.key).comesIn();
  }),

  mutexCase('a claim that asks after its lease has ended joins anew, at the back, with a new place', async (trial) => {
    const key = await trial.mutexKey();
    const [client, other] = await trial.connectTwo();
    const late = trial.claim(client, key, { leaseMs: trial.leaseMs });
    const next = trial.claim(other, key);
    const waiter = trial.claim(other, key);
    const lost = await late.holds();
    const speak = await trial.silence(client);
    await next.comesIn();
    await waiter.waits(1);
    await speak();
    await late.waits(2);
    await next.leaves();
    const { place } = await waiter.holds();
    await waiter.leaves();
    const regained = await late.comesIn();
    assert.ok(
      place > lost.place && regained.place > place,
      `${lost.place}, ${place} and ${regained.place} should rise`,
    );
  }),

  singleCase('the lease that was given is told, and how much of it is left', async (trial) => {
    const key = trial.key();
    const client = await trial.connect();
    const holder = trial.claim(client, key, { leaseMs: 20 * trial.leaseMs });
    const { leaseMs } = await holder.holds();
    assert.ok(leaseMs > 0 && Number.isFinite(leaseMs), `a lease of ${leaseMs} ms`);
    for (let times = 0; times < 2; times += 1) {
      const [place] = await trial.line(key);
      // A little more is left than there ever was where a clock is read in coarse steps.
      assert.ok(
        place!.leaseLeftMs > 0 && place!.leaseLeftMs <= leaseMs * 1.1,
        `${place!.leaseLeftMs} of ${leaseMs} ms left`,
      );
      await holder.renews();
    }
  }),
];
