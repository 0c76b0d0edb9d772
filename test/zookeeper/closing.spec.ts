import { expect, it } from '@jest/globals';
import { systemRandom } from '../../lib/core/random.js';
import { Dice } from '../simulation/kernel/dice.js';
import { simulatedBackend } from '../simulation/zookeeper/backend.js';
import { Ensemble } from '../simulation/zookeeper/ensemble.js';
import { IdleClock } from '../support/idle-clock.js';

const SESSION_MS = 4_000;

it('a lock that is being given back while the connection is lost is not called lost when the backend is closed', async () => {
  const clock = new IdleClock();
  let cut = false;
  const timeline = {
    get time() {
      return clock.now();
    },
    at: (due: number, happen: () => void) => clock.alarm(due - clock.now(), happen).cancel,
  };
  const world = { happens: () => undefined, dropped: () => undefined };
  const ensemble = new Ensemble({
    timeline,
    dice: new Dice(1),
    tickMs: 800,
    hopMs: 1,
    collectEveryMs: 1_000,
    ...world,
  });
  const way = {
    timeline,
    clock,
    there: () => ({ delayMs: 0 }),
    backMs: () => 0,
    reaches: () => !cut,
    whenAwake: (work: () => void) => work(),
  };
  const backend = simulatedBackend(ensemble, way, { sessionMs: SESSION_MS, random: systemRandom });
  const claim = backend.claim({ key: 'a', id: 'x', slots: 1, leaseMs: 1_000 });
  expect(await claim.attempt({ queue: true })).toMatchObject({ held: true });
  cut = true;
  await new Promise<void>((resolve) => void clock.alarm(SESSION_MS / 2, resolve));
  const withdrawn = claim.withdraw();
  await new Promise<void>((resolve) => void clock.alarm(10, resolve));
  await backend.close();
  expect(await withdrawn).toBe(true);
});
