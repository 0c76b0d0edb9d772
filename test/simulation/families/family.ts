import { type LockBackend, type Random } from '../../../lib/core/index.js';
import { type Fault } from '../history.js';
import { type Machine } from '../kernel/machine.js';
import { type Nature } from '../world/nature.js';
import { type Network } from '../world/network.js';

/** A kind of backend, over a store that is simulated. */
export interface Family {
  readonly name: string;
  /** What can befall its processes, their ways to the store, and the store. */
  readonly faults: readonly Fault[];
  /** By how much the clocks of processes go wrong, at most, for two never to believe the same. */
  readonly drift: number;
  /** How long the way to the store and back takes; one of these for each process. */
  readonly latenciesMs: readonly number[];
  /** How many times longer a slow call takes. */
  readonly slower: number;
  /** Longer than it takes to ask. */
  readonly leasesMs: readonly number[];
  /** How much longer than with leases of some hundred milliseconds everything else takes. */
  readonly pace: number;
  open(nature: Nature): Store;
}

/** One store, for one run. */
export interface Store {
  /** The backend of one process, on the way to this store. */
  connect(client: Client): LockBackend;
  /** One of the things that befall such a store, if anything does. */
  strike?(): void;
  /** How many things are left in it. */
  residue(): number;
}

export interface Client {
  readonly process: string;
  readonly machine: Machine;
  readonly network: Network;
  readonly random: Random;
}

/** What befalls every family. */
export const COMMON_FAULTS: readonly Fault[] = [
  'stall',
  'doze',
  'sleep',
  'wall clock set',
  'crash',
  'cut',
  'slow',
  'reply lost',
  'not sent',
  'never answered',
  'swallowed',
  'done twice',
  'message lost',
  'message late',
];
