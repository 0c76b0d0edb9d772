import assert from 'node:assert/strict';
import { type Held } from '../../core/backend.js';
import { mutexCase, singleCase } from '../conformance-case.js';

/** What the fencing token is made of. */
export const placesCases = [
  mutexCase('places rise from each holder to the next, over all clients', async (trial) => {
    const key = await trial.mutexKey();
    const clients = await trial.connectTwo();
    const places = new RisingPlaces();
    const line = Array.from({ length: 6 }, (_, n) => trial.claim(clients[n % 2]!, key));
    for (const claim of line) await claim.asks();
    for (const claim of line) {
      places.admit(await claim.holds());
      await claim.leaves();
    }
  }),

  singleCase('places rise over an empty line, over all clients', async (trial) => {
    const key = trial.key();
    const clients = await trial.connectTwo();
    const places = new RisingPlaces();
    for (let times = 0; times < 8; times += 1) {
      const claim = trial.claim(clients[times % 2]!, key);
      places.admit(await (times % 3 === 0 ? claim.getsInAtOnce() : claim.holds()));
      await claim.leaves();
      await trial.lineIs(key);
    }
  }),

  singleCase('places rise over a lease that ended', async (trial) => {
    const key = trial.key();
    const [client, other] = await trial.connectTwo();
    const places = new RisingPlaces();
    const dead = trial.claim(client, key, { leaseMs: trial.leaseMs });
    places.admit(await dead.holds());
    await trial.silence(client);
    const next = trial.claim(other, key);
    places.admit(await next.comesIn());
    await next.leaves();
    places.admit(await trial.claim(other, key).holds());
  }),

  singleCase('every sharer has a place of its own, in order of admission', async (trial) => {
    for (const slots of [3, Infinity]) {
      const key = trial.key();
      const clients = await trial.connectTwo();
      const places = new RisingPlaces();
      for (const n of [0, 1, 2]) places.admit(await trial.claim(clients[n % 2]!, key, { slots }).holds());
    }
  }),

  mutexCase('a claim keeps its place while it is in line', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const { place } = await holder.holds();
    const unchanged = async (): Promise<void> => {
      await holder.renews();
      assert.equal((await holder.holds()).place, place, 'its place when it asks again');
      await trial.settlesOn(place, async () => (await trial.line(key))[0]?.place, 'its place as inspect has it');
    };
    await unchanged();
    const waiter = trial.claim(there, key);
    const told = (await waiter.waits(1)).place;
    const seen = (await trial.line(key)).find(({ id }) => id === waiter.id)?.place;
    await unchanged();
    await trial.claim(there, key).isRefused();
    await unchanged();
    await holder.leaves();
    const admitted = (await waiter.holds()).place;
    // Not every backend gives places on joining.
    for (const known of [told, seen]) {
      if (known !== undefined) assert.equal(admitted, known, 'the place that it knew when it waited');
    }
    await trial.settlesOn(admitted, async () => (await trial.line(key))[0]?.place, 'its place as inspect has it');
  }),

  singleCase('a place is a bigint from 1 up to 2^53 - 1', async (trial) => {
    const { place } = await trial.claim(await trial.connect(), trial.key()).holds();
    assert.equal(typeof place, 'bigint');
    assert.ok(place > 0n && place < 2n ** 53n, `${place} is out of range`);
  }),
];

/** The places of the holders of one key, one after another. */
class RisingPlaces {
  private last: bigint | undefined;

  admit({ place }: Held): void {
    if (this.last !== undefined) assert.ok(place > this.last, `the place ${place} follows ${this.last}`);
    this.last = place;
  }
}
