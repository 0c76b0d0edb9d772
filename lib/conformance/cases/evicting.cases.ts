import assert from 'node:assert/strict';
import { mutexCase, singleCase } from '../conformance-case.js';

/** How a claim is taken out of the line by somebody else. */
export const evictingCases = [
  mutexCase(
    'an evicted holder is out, knows it when it asks, and the next one is in with a larger place',
    async (trial) => {
      const key = await trial.mutexKey();
      const [here, there] = await trial.connectTwo();
      const holder = trial.claim(here, key);
      const waiter = trial.claim(there, key);
      const { place } = await holder.holds();
      await waiter.waits(1);
      await holder.isEvictedBy(there);
      await trial.lineIs(key, waiter);
      const next = await waiter.comesIn();
      assert.ok(next.place > place, `the place of the next holder, ${next.place}, after ${place}`);
      await holder.renewsEvicted();
      await holder.asksEvicted();
      await trial.lineIs(key, waiter);
      await holder.hasLeft();
      await waiter.renews();
      await trial.claim(here, key).isRefused();
      await trial.lineIs(key, waiter);
    },
  ),

  mutexCase('an evicted waiter is out, and does not join anew', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    const last = trial.claim(here, key);
    await holder.holds();
    await waiter.waits(1);
    await last.waits(2);
    await waiter.isEvictedBy(here);
    await trial.lineIs(key, holder, last);
    await waiter.asksEvicted();
    await waiter.asksEvicted();
    await trial.lineIs(key, holder, last);
    await waiter.hasLeft();
    await holder.renews();
    await last.waits(1);
    await holder.leaves();
    await last.comesIn();
  }),

  mutexCase('evicting is done once, and whoever is not in line is not evicted', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const [holder, waiter, stranger, gone] = [here, there, here, there].map((client) => trial.claim(client, key));
    await gone!.holds();
    await gone!.leaves();
    await holder!.holds();
    await waiter!.waits(1);
    for (const claim of [stranger!, gone!]) await claim.isNotEvictedBy(there);
    await trial.lineIs(key, holder!, waiter!);
    await holder!.isEvictedBy(there);
    await holder!.isNotEvictedBy(there);
    await trial.lineIs(key, waiter!);
    await waiter!.comesIn();
  }),

  singleCase('an evicted sharer gives back its own slot', async (trial) => {
    const key = trial.key();
    const clients = await trial.connectTwo();
    const line = Array.from({ length: 4 }, (_, n) => trial.claim(clients[n % 2]!, key, { slots: 2 }));
    for (const claim of line) await claim.asks();
    await line[0]!.isEvictedBy(clients[1]);
    await trial.lineIs(key, line[1]!, line[2]!, line[3]!);
    await line[1]!.renews();
    await line[2]!.comesIn();
    await line[3]!.waits(2);
  }),

  mutexCase('whoever joins after an eviction has a larger place, over an empty line too', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    let last = 0n;
    for (let times = 0; times < 4; times += 1) {
      const holder = trial.claim(times % 2 === 0 ? here : there, key);
      const { place } = await holder.comesIn();
      assert.ok(place > last, `a place of ${place}, after one of ${last}`);
      last = place;
      await holder.isEvictedBy(there);
      await trial.lineIs(key);
    }
  }),

  mutexCase('whoever comes in by an eviction is woken', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    let wakes = 0;
    waiter.watch(() => void (wakes += 1));
    await holder.holds();
    await waiter.waits(1);
    // Long enough for wakes that are on their way.
    await trial.sleep(60);
    wakes = 0;
    await holder.isEvictedBy(here);
    await trial.becomesTrue('the waiter has been woken', () => wakes > 0);
    await waiter.holds();
  }),
];
