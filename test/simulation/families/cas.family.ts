import { CasBackend, type CasStore, MemoryStore } from '../../../lib/cas/index.js';
import { type LeaseRule, leaseRule } from '../../../lib/cas/lease.rule.js';
import { type Network } from '../world/network.js';
import { COMMON_FAULTS, type Family } from './family.js';

/** What processes are made with, right or wrong. */
export interface CasMaking {
  /** By how much the clocks of the machines go wrong, at most. */
  readonly drift: number;
  readonly driftRatio: number;
  readonly rule: LeaseRule;
  /** What a process makes of the store. */
  readonly through: (store: CasStore) => CasStore;
}

export const DRIFT = 0.05;

const GIVES_UP_MS = 1_000;
const LATE_WRITE_MS = 6_000;

/** Compare-and-swap: the real backend over one versioned store, far away. Each process measures leases by its own clock. */
export function casFamily(making: Partial<CasMaking> = {}): Family {
  const { drift = DRIFT, driftRatio = drift, rule = leaseRule, through = (store: CasStore) => store } = making;
  return {
    name: 'cas',
    drift,
    faults: [...COMMON_FAULTS, 'done late'],
    latenciesMs: [0, 1, 5, 30, 100],
    slower: 20,
    leasesMs: [1_000, 2_000, 4_000],
    pace: 4,
    open() {
      // It would begin with the time of day.
      const store = Object.assign(new MemoryStore(), { lastVersion: 0n });
      return {
        connect: ({ machine: clock, network, random }) =>
          new CasBackend({ store: through(farStore(store, network)), driftRatio }, { clock, random, rule }),
        residue: () => (store as unknown as { readonly values: ReadonlyMap<string, unknown> }).values.size,
      };
    },
  };
}

function farStore(store: CasStore, network: Network): CasStore {
  const asking = { silenceMs: GIVES_UP_MS, lateMs: LATE_WRITE_MS };
  return {
    name: 'far-store',
    read: (key) => network.ask(() => store.read(key), asking),
    write: (key, next, expected) => network.ask(() => store.write(key, next, expected), asking),
    watch: (key, changed) => store.watch!(key, () => network.tell(changed)),
  };
}
