import assert from 'node:assert/strict';
import { holders } from '../../core/admission.js';
import { seededChance } from '../chance.js';
import { type Claimant } from '../claimant.js';
import { mutexCase, singleCase } from '../conformance-case.js';
import { type Trial } from '../trial.js';

/** Who is in: the rule of the line. */
export const orderCases = [
  mutexCase('claims come in in the order in which they joined, however often the others ask', async (trial) => {
    const key = await trial.mutexKey();
    const line = await lineOf(trial, key, 6);
    while (line.length > 0) {
      for (const [ahead, waiter] of [...line.entries()].toReversed()) if (ahead > 0) await waiter.waits(ahead);
      await line[0]!.holds();
      await line.shift()!.leaves();
    }
  }),

  mutexCase('whoever leaves the line, wherever it stood, lets those behind move up in order', async (trial) => {
    const key = await trial.mutexKey();
    const line = await lineOf(trial, key, 6);
    for (const rank of [2, 4, 1]) {
      const [leaving] = line.splice(rank, 1);
      await leaving!.leaves();
      await trial.lineIs(key, ...line);
      for (const [ahead, claim] of line.entries()) await (ahead === 0 ? claim.holds() : claim.waits(ahead));
    }
  }),

  singleCase('readers share the key, and a writer waits for all of them', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const readers = [reader(here), reader(there), reader(there)];
    function reader(client: typeof here): Claimant {
      return trial.claim(client, key, { slots: Infinity });
    }
    const writer = trial.claim(here, key, { slots: 1 });
    for (const each of readers) await each.holds();
    await writer.waits(3);
    for (const ahead of [2, 1]) {
      await readers.pop()!.leaves();
      await writer.waits(ahead);
    }
    await readers.pop()!.leaves();
    await writer.holds();
  }),

  singleCase('a waiting writer stops the readers that come after it', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const early = trial.claim(here, key, { slots: Infinity });
    const writer = trial.claim(there, key, { slots: 1 });
    const late = trial.claim(here, key, { slots: Infinity });
    await early.holds();
    await writer.waits(1);
    await late.waits(2);
    await trial.claim(there, key, { slots: Infinity }).isRefused();
    await early.leaves();
    await late.waits(1);
    await writer.holds();
    await writer.leaves();
    await late.holds();
  }),

  singleCase('readers that waited for a writer come in together', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const writer = trial.claim(here, key, { slots: 1 });
    const readers = [here, there, there].map((client) => trial.claim(client, key, { slots: Infinity }));
    await writer.holds();
    for (const [rank, reader] of readers.entries()) await reader.waits(rank + 1);
    await writer.leaves();
    for (const reader of readers) await reader.holds();
  }),

  singleCase('a waiting writer that leaves lets the readers behind it in', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const early = trial.claim(here, key, { slots: Infinity });
    const writer = trial.claim(there, key, { slots: 1 });
    const late = trial.claim(here, key, { slots: Infinity });
    await early.holds();
    await writer.waits(1);
    await late.waits(2);
    await writer.leaves();
    await late.holds();
    await early.holds();
  }),

  singleCase('a limit of n lets n in and no more, and one more for each that leaves', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const claims = Array.from({ length: 6 }, (_, n) => trial.claim(n % 2 === 0 ? here : there, key, { slots: 3 }));
    for (const [rank, claim] of claims.entries()) await (rank < 3 ? claim.holds() : claim.waits(rank));
    await trial.lineHas(key, { holders: 3, waiters: 3 });
    await claims[1]!.leaves();
    await claims[3]!.holds();
    await claims[4]!.waits(3);
    await trial.lineHas(key, { holders: 3, waiters: 2 });
  }),

  singleCase('a limit can be as large as 2^31 - 1', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    for (const client of [here, there, here]) await trial.claim(client, key, { slots: 2 ** 31 - 1 }).holds();
    await trial.claim(there, key, { slots: 3 }).isRefused();
    await trial.claim(there, key, { slots: 4 }).holds();
  }),

  singleCase('claims that disagree about the limit are held to the smallest', async (trial) => {
    const key = trial.key();
    const [here, there] = await trial.connectTwo();
    const wide = trial.claim(here, key, { slots: 5 });
    const narrow = trial.claim(there, key, { slots: 2 });
    const wideAgain = trial.claim(here, key, { slots: 5 });
    await wide.holds();
    await narrow.holds();
    await wideAgain.waits(2);
    await wide.leaves();
    await wideAgain.holds();
    await trial.claim(here, key, { slots: Infinity }).isRefused();
  }),

  singleCase('whatever joins and leaves, those are in that the rule lets in', async (trial) => {
    const chance = seededChance(20);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(chance() * from.length)]!;
    const key = trial.key();
    const clients = await trial.connectTwo();
    const line: Claimant[] = [];
    for (let step = 0; step < 40; step += 1) {
      const claim = trial.claim(pick(clients), key, { slots: pick([1, 2, 3, Infinity, Infinity]) });
      const letIn = holders([...line, claim]) > line.length;
      if (line.length < 7 && chance() < 0.55) {
        await claim.asks();
        line.push(claim);
      } else if (chance() < 0.3) {
        if (!letIn) await claim.isRefused();
        else line.push((await claim.getsInAtOnce(), claim));
      } else if (line.length > 0) await line.splice(line.indexOf(pick(line)), 1)[0]!.leaves();
      const inside = holders(line);
      const waiting = line.length - inside;
      for (const [rank, each] of line.entries()) {
        if (rank >= inside) await each.waits(rank);
        else assert.equal((await each.holds()).waiting, waiting, 'how many wait behind a holder');
      }
      await trial.lineHas(key, { holders: inside, waiters: waiting });
    }
    await trial.lineIs(key, ...line);
  }),
];

/** A line of so many claims of two clients in turn, the first of them in. */
async function lineOf(trial: Trial, key: string, length: number): Promise<Claimant[]> {
  const clients = await trial.connectTwo();
  const line: Claimant[] = [];
  for (let ahead = 0; ahead < length; ahead += 1) {
    const claim = trial.claim(clients[ahead % 2]!, key);
    if (ahead === 0) await claim.holds();
    else await claim.waits(ahead);
    line.push(claim);
  }
  return line;
}
