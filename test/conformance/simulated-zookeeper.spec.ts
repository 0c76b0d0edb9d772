import { describeBackendConformance } from '../../lib/conformance/index.js';
import { type LockBackend } from '../../lib/core/backend.js';
import { systemRandom } from '../../lib/core/random.js';
import { Dice } from '../simulation/kernel/dice.js';
import { simulatedBackend } from '../simulation/zookeeper/backend.js';
import { Ensemble } from '../simulation/zookeeper/ensemble.js';
import { IdleClock } from '../support/idle-clock.js';

// The suite that real ZooKeeper passes holds the simulated one to it.
const clock = new IdleClock();
const timeline = {
  get time() {
    return clock.now();
  },
  at: (due: number, happen: () => void) => clock.alarm(due - clock.now(), happen).cancel,
};
const SESSION_MS = 1_600;
const ensemble = new Ensemble({
  timeline,
  dice: new Dice(1),
  tickMs: SESSION_MS / 5,
  hopMs: 1,
  collectEveryMs: 1_000,
  happens: () => undefined,
  dropped: () => undefined,
});
const silent = new Set<object>();

describeBackendConformance({
  name: 'zookeeper, simulated, in virtual time',
  connect: () => {
    const way = {
      timeline,
      clock,
      there: () => ({ delayMs: 0 }),
      backMs: () => 0,
      reaches: () => !silent.has(backend),
      whenAwake: (work: () => void) => work(),
    };
    const backend: LockBackend = simulatedBackend(ensemble, way, { sessionMs: SESSION_MS, random: systemRandom });
    return backend;
  },
  silence: async (backend) => {
    silent.add(backend);
    return async () => void silent.delete(backend);
  },
  residue: () => ensemble.residue(),
  leaseMs: 500,
  clock,
});
