import { type Address } from '../support/backend-address.js';
import { type World } from './world.js';

/** A fault that is injected, lasts for a while, and is mended again before this resolves. */
export interface Fault {
  readonly name: string;
  readonly inject: (world: World) => Promise<void>;
}

/** Servers of one kind, and what can befall them. */
export interface Site {
  readonly name: string;
  /** Whether P1 is promised under its faults: not where servers forget what they have confirmed. */
  readonly exclusion: boolean;
  readonly leaseMs: number;
  /** Of the servers, now. */
  readonly ports: readonly number[];
  readonly faults: readonly Fault[];
  address(ports: readonly number[]): Address;
  stop(): Promise<void>;
}
