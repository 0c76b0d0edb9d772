import { type Claim, type ClaimRequest, type Clock, type LockBackend } from '../../../lib/core/index.js';
import { MemoryBackend } from '../../../lib/memory/index.js';
import { type Simulation } from '../kernel/simulation.js';
import { Order } from '../world/network.js';
import { type Client, COMMON_FAULTS, type Family } from './family.js';

/** The reference: the backend of the contract itself, far away. */
export function memoryFamily(through: (backend: LockBackend) => LockBackend = (backend) => backend): Family {
  return {
    name: 'memory',
    drift: 0.0099,
    faults: [...COMMON_FAULTS],
    latenciesMs: [0, 1, 1, 5, 30],
    slower: 100,
    leasesMs: [100, 300, 500, 5_000],
    pace: 1,
    open({ simulation }) {
      const memory = new MemoryBackend({ clock: trueClock(simulation) });
      const backend = through(memory);
      return {
        connect: (client) => ({
          name: 'memory',
          claim: (request) => farClaim(backend, request, client),
          inspect: (key) => memory.inspect(key),
          list: (options) => memory.list(options),
          evict: (key, id) => client.network.ask(() => memory.evict(key, id), { order: new Order() }),
        }),
        residue: () => (memory as unknown as { readonly lines: ReadonlyMap<string, unknown> }).lines.size,
      };
    },
  };
}

/** The calls of a claim take effect in the order in which they were sent. */
function farClaim(backend: LockBackend, request: ClaimRequest, { network }: Client): Claim {
  const claim = backend.claim(request);
  const asking = { order: new Order() };
  return {
    attempt: (options) => network.ask(() => claim.attempt(options), asking),
    renew: () => network.ask(() => claim.renew(), asking),
    withdraw: () => network.ask(() => claim.withdraw(), asking),
    watch: (wake) => {
      let watched = true;
      const unwatch = claim.watch!((standing) => network.tell(() => watched && wake(standing)));
      return () => {
        watched = false;
        unwatch();
      };
    },
  };
}

/** The clock of a store: right, and of no use for waiting. */
function trueClock(simulation: Simulation): Clock {
  return {
    now: () => simulation.time,
    wall: () => 1_800_000_000_000 + simulation.time,
    alarm: () => {
      throw new Error('the store waits for nothing');
    },
  };
}
