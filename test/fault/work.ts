import { type Address } from '../support/backend-address.js';

/** What a process is started to do. */
export interface Work {
  readonly name: string;
  readonly address: Address;
  readonly keys: readonly string[];
  readonly leaseMs: number;
  readonly callers: number;
  /** How long a caller does something else between two locks, on average. */
  readonly pauseMs: number;
  readonly resourcePort: number;
  /** Where it writes down what happens. */
  readonly history: string;
  readonly seed: number;
  /** false: a control run, in which nobody asks for a lock. */
  readonly locks: boolean;
  /** Whether some look at their lock before they write. */
  readonly looks: boolean;
}

/** Have each key once more and end; or hold up the event loop. */
export type Order = { readonly type: 'settle' } | { readonly type: 'block'; readonly forMs: number };

export type WorkerSays = 'ready' | 'settled';
