import assert from 'node:assert/strict';
import { type LockBackend } from '../../core/backend.js';
import { mutexCase, singleCase } from '../conformance-case.js';
import { type Trial } from '../trial.js';

/** Whatever a claim may say of its owner; nothing of it has a meaning to a backend. */
const hostileOwners = [
  '1:2:3:4',
  '1',
  'null',
  ' ',
  'line\nbreak\r\n\t',
  'a\0b',
  '["shop","web-1",42,"Orders.ship"]',
  `'; DROP TABLE locks; -- "\\`,
  '../,%2F{0}[1]*?',
  '__proto__',
  '\u2028 \u0130 \u00df e\u0301',
  '🔒'.repeat(50),
  'x'.repeat(200),
];

/** What is reported of a line. */
export const inspectionCases = [
  mutexCase('inspect shows holders and waiters in order, with what each asked for', async (trial) => {
    const key = await trial.mutexKey();
    const clients = await trial.connectTwo();
    const line = Array.from({ length: 3 }, (_, n) => trial.claim(clients[n % 2]!, key));
    for (const claim of line) await claim.asks();
    const { place } = await line[0]!.holds();
    const expected = line.map(({ id, slots }, rank) => ({ id, slots, held: rank === 0 }));
    const read = async (): Promise<typeof expected> =>
      (await trial.line(key)).map(({ id, slots, held }) => ({ id, slots, held }));
    await trial.settlesOn(expected, read, 'the line');
    const [holder] = await trial.line(key);
    assert.equal(holder!.place, place, 'the place of the holder');
    for (const { leaseLeftMs } of await trial.line(key))
      assert.ok(leaseLeftMs > 0, `${leaseLeftMs} ms of a lease left`);
  }),

  singleCase('inspect shows each sharer as a holder, with its own place', async (trial) => {
    const key = trial.key();
    const clients = await trial.connectTwo();
    const expected = [];
    for (const [n, slots] of [Infinity, 3, 2 ** 31 - 1].entries()) {
      const claim = trial.claim(clients[n % 2]!, key, { slots });
      expected.push({ id: claim.id, slots, held: true, place: (await claim.holds()).place });
    }
    const read = async (): Promise<unknown> =>
      (await trial.line(key)).map(({ id, slots, held, place }) => ({ id, slots, held, place }));
    await trial.settlesOn<unknown>(expected, read, 'the line');
  }),

  singleCase('inspect shows what each claim says of its owner, to the letter', async (trial) => {
    const key = trial.key();
    const clients = await trial.connectTwo();
    const expected = [];
    for (const [n, owner] of [undefined, ...hostileOwners, undefined].entries()) {
      const claim = trial.claim(clients[n % 2]!, key, owner === undefined ? {} : { owner });
      const { held } = await claim.asks();
      expected.push({ id: claim.id, held, owner });
    }
    const read = async (): Promise<unknown> =>
      (await trial.line(key)).map(({ id, held, owner }) => ({ id, held, owner }));
    await trial.settlesOn<unknown>(expected, read, 'the line');
  }),

  singleCase('a key that nobody wants has an empty line, and looking at it changes nothing', async (trial) => {
    const key = trial.key();
    const client = await trial.connect();
    assert.deepEqual(await trial.line(key), []);
    const claim = trial.claim(client, key);
    await claim.holds();
    await trial.lineIs(key, claim);
    await claim.leaves();
    await trial.lineIs(key);
  }),

  singleCase('list tells the keys that have a line, and with a prefix only those that begin with it', async (trial) => {
    const client = await trial.connect();
    const own = trial.key();
    const [plain, starred, prefixed, upper] = ['axe', 'a*', 'a*e', 'A*'].map((end) => trial.ownKey(`${own}:${end}`));
    const claims = [plain!, starred!, prefixed!, upper!].map((key) => trial.claim(client, key));
    for (const claim of claims) await claim.holds();
    const all = [starred!, prefixed!, plain!, upper!];
    await listIs(trial, client, `${own}:`, all);
    await listIs(trial, client, `${own}:a*`, [starred!, prefixed!]);
    await listIs(trial, client, `${own}:a*e!`, []);
    await trial.becomesTrue('a list without a prefix has them all', async () => {
      const listed = await trial.list(client);
      return all.every((key) => listed.has(key));
    });
    await claims[1]!.leaves();
    await listIs(trial, client, `${own}:a*`, [prefixed!]);
  }),
];

/** The keys that begin with the prefix must come to be these. */
async function listIs(trial: Trial, client: LockBackend, prefix: string, keys: readonly string[]): Promise<void> {
  const read = async (): Promise<readonly string[]> => [...(await trial.list(client, prefix))].toSorted();
  await trial.settlesOn(keys.toSorted(), read, `the keys that begin with ${JSON.stringify(prefix)}`);
}
