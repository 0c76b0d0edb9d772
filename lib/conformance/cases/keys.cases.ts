import assert from 'node:assert/strict';
import { singleCase } from '../conformance-case.js';
import { hostileKeys } from '../hostile-keys.js';
import { type Trial } from '../trial.js';

/** Any well-formed text of up to 1024 bytes is a key, and two texts are never one key. */
export const keysCases = [
  singleCase('hostile keys are as many keys, and leaving one leaves the others', async (trial) => {
    const clients = await trial.connectTwo();
    const claims = ownKeys(trial).map((key, n) => trial.claim(clients[n % 2]!, key));
    for (const claim of claims) {
      assert.ok((await claim.asks()).held, `${JSON.stringify(claim.request.key)} was taken for another key`);
    }
    for (const claim of claims) await trial.lineIs(claim.request.key, claim);
    for (const claim of claims.filter((_, n) => n % 2 === 0)) {
      await claim.leaves();
      await trial.lineIs(claim.request.key);
    }
    for (const claim of claims.filter((_, n) => n % 2 === 1)) {
      await claim.renews();
      await trial.lineIs(claim.request.key, claim);
    }
  }),

  singleCase('hostile keys are the same keys for all clients', async (trial) => {
    const [here, there] = await trial.connectTwo();
    for (const key of ownKeys(trial)) {
      const holder = trial.claim(here, key);
      const waiter = trial.claim(there, key);
      await holder.holds();
      assert.ok(!(await waiter.asks()).held, `${JSON.stringify(key)} is another key for another client`);
      await holder.leaves();
      await waiter.holds();
      await waiter.leaves();
    }
  }),

  singleCase('list tells hostile keys as they were written', async (trial) => {
    const [here, there] = await trial.connectTwo();
    const keys = ownKeys(trial);
    for (const key of keys) await trial.claim(here, key).holds();
    const missing = async (): Promise<readonly string[]> => {
      const listed = await trial.list(there);
      return keys.filter((key) => !listed.has(key));
    };
    await trial.settlesOn([], missing, 'keys that are not listed');
    for (const key of keys) assert.ok((await trial.list(there, key)).has(key), `the prefix ${JSON.stringify(key)}`);
  }),
];

/** The keys are used to the letter: a backend must not confuse them, whatever it puts before or behind them. */
function ownKeys(trial: Trial): readonly string[] {
  return hostileKeys.map((key) => trial.ownKey(key));
}
