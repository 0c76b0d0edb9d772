import assert from 'node:assert/strict';
import { type Standing } from '../../core/backend.js';
import { type Claimant } from '../claimant.js';
import { mutexCase, singleCase } from '../conformance-case.js';
import { type Trial } from '../trial.js';

/** How waiters are told. A backend without wakes skips them all: `/^claims: .*(wake|woken)/`. Waiting works without. */
export const wakesCases = [
  mutexCase('a waiter is woken when it comes in', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    const wakes = listen(waiter);
    await holder.holds();
    await waiter.waits(1);
    await quiet(trial);
    wakes.length = 0;
    await holder.leaves();
    await trial.becomesTrue('the waiter has been woken', () => wakes.length > 0);
    const { place } = await waiter.holds();
    for (const standing of wakes)
      if (standing?.held) assert.equal(standing.place, place, 'the place that the wake told');
  }),

  singleCase('whoever comes in is woken, whatever let it in', async (trial) => {
    const clients = await trial.connectTwo();
    const stages = [
      { line: [1, Infinity, Infinity], leaves: 0, enter: [1, 2] },
      { line: [Infinity, 1, Infinity, Infinity], leaves: 1, enter: [2, 3] },
      { line: [2, 2, 2, 2], leaves: 1, enter: [2] },
      { line: [Infinity, 1], leaves: 0, enter: [1] },
      { line: [3, 3, 2, 3, 1], leaves: 2, enter: [3] },
    ];
    for (const { line, leaves, enter } of stages) {
      const key = trial.key();
      const claims = line.map((slots, n) => trial.claim(clients[n % 2]!, key, { slots }));
      const wakes = claims.map(listen);
      for (const claim of claims) await claim.asks();
      await quiet(trial);
      for (const heard of wakes) heard.length = 0;
      await claims[leaves]!.leaves();
      const awake = (): boolean => enter.every((rank) => wakes[rank]!.length > 0);
      await trial.becomesTrue(
        `of ${line.join(', ')} number ${leaves} leaves, and ${enter.join(', ')} are woken`,
        awake,
      );
      for (const rank of enter) await claims[rank]!.holds();
    }
  }),

  mutexCase('a wake says that a claim is in only when it is', async (trial) => {
    const key = await trial.mutexKey();
    const clients = await trial.connectTwo();
    const line = Array.from({ length: 4 }, (_, n) => trial.claim(clients[n % 2]!, key));
    const wakes = line.map(listen);
    for (const claim of line) await claim.asks();
    for (let rank = 0; rank < line.length; rank += 1) {
      await quiet(trial);
      const told = wakes.map((heard) => heard.some((standing) => standing?.held));
      assert.ok(!told.includes(true, rank + 1), `while number ${rank} is in, those told are: ${told.join(', ')}`);
      await line[rank]!.leaves();
    }
  }),

  mutexCase('a watch that has ended wakes nobody, and ends no other', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const deaf = trial.claim(there, key);
    const waiter = trial.claim(there, key);
    let wakesOfDeaf = 0;
    const end = deaf.watch(() => void (wakesOfDeaf += 1));
    const wakes = listen(waiter);
    await holder.holds();
    await deaf.waits(1);
    await waiter.waits(2);
    end();
    end();
    wakesOfDeaf = 0;
    await holder.leaves();
    await deaf.holds();
    await quiet(trial);
    assert.equal(wakesOfDeaf, 0, 'wakes of a watch that has ended');
    wakes.length = 0;
    await deaf.leaves();
    await trial.becomesTrue('the other waiter is woken', () => wakes.length > 0);
    await waiter.holds();
  }),

  singleCase('a holder that yields is woken when another waits behind it, and not while none does', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key, { yields: true });
    const wakes = listen(holder);
    const { place } = await holder.holds();
    await quiet(trial);
    wakes.length = 0;
    await holder.renews();
    await quiet(trial);
    assert.equal(wakes.length, 0, 'wakes of a holder that nobody waits for');
    const waiter = trial.claim(there, key, { yields: true });
    await waiter.waits(1);
    await isToldOfAnother(trial, wakes, place);
    await holder.leaves();
    await waiter.comesIn();
  }),

  singleCase('a holder that yields, and has waited itself, is woken when another waits behind it', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const first = trial.claim(there, key, { yields: true });
    await first.holds();
    const holder = trial.claim(here, key, { yields: true });
    const wakes = listen(holder);
    await holder.waits(1);
    await first.leaves();
    const { place } = await holder.comesIn();
    await quiet(trial);
    wakes.length = 0;
    await trial.claim(there, key).waits(1);
    await isToldOfAnother(trial, wakes, place);
  }),

  mutexCase('asking in line wakes nobody, nor does a try that is refused', async (trial) => {
    const key = await trial.mutexKey();
    const clients = await trial.connectTwo();
    const line = Array.from({ length: 4 }, (_, n) => trial.claim(clients[n % 2]!, key));
    const wakes = line.map(listen);
    for (const claim of line) await claim.asks();
    await quiet(trial);
    for (const heard of wakes) heard.length = 0;
    for (let times = 0; times < 10; times += 1) {
      // Whoever is in has nothing to ask; to restart a lease, a backend may have to write.
      for (const claim of line.slice(1)) await claim.asks();
      await trial.claim(clients[times % 2]!, key).isRefused();
    }
    await quiet(trial);
    // Thirty questions and ten tries: a few wakes may have been on their way, but not one for each.
    const woken = wakes.reduce((sum, heard) => sum + heard.length, 0);
    assert.ok(woken <= line.length, `${woken} wakes`);
  }),
];

function listen(claimant: Claimant): (Standing | undefined)[] {
  const wakes: (Standing | undefined)[] = [];
  claimant.watch((standing) => void wakes.push(standing));
  return wakes;
}

async function isToldOfAnother(trial: Trial, wakes: (Standing | undefined)[], place: bigint): Promise<void> {
  await trial.becomesTrue('the holder has been woken', () => wakes.length > 0);
  for (const standing of wakes) {
    if (standing === undefined) continue;
    assert.ok(standing.held && standing.waiting > 0, 'a wake that tells a holder of another says how many wait');
    assert.equal(standing.place, place, 'the place that the wake told');
  }
}

/** Long enough for wakes that are on their way. */
async function quiet(trial: Trial): Promise<void> {
  await trial.sleep(60);
}
