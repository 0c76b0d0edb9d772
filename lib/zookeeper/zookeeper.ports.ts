import { type Clock } from '../core/clock.js';
import { type Moment } from '../core/moment.js';
import { type OpenDriver } from './zookeeper.driver.js';
import { type Server } from './zookeeper.options.js';

/** All that a session knows of the world. A simulation has its own. */
export interface SessionPorts {
  readonly clock: Clock;
  readonly openDriver: OpenDriver;
  readonly makeRelay: (terms: RelayTerms) => Relay;
  /** Calls when whatever runs now has returned. */
  readonly nextTurn: (call: () => void) => void;
}

/** What the driver of one session takes for its server. */
export interface Relay {
  /** Since then the server has heard of the session, if the driver is connected. */
  readonly greetedAt: Moment;
  /** Resolves to the address for the driver. */
  open(): Promise<string>;
  /** Ends the session, if the server can be told. Resolves when the driver knows of no connection. */
  close(): Promise<void>;
  /**
   * When the driver last heard something, or began to listen; Infinity while it has no connection. What comes after a silence
   * of `MOST_SILENCE` does not count: the driver may hang up before it hears that.
   */
  readonly heardAt: number;
  /** Hangs up on the driver this very moment. */
  cut(): void;
}

/**
 * Of a session's timeout. The driver hangs up after two thirds of it in which it has heard nothing, behind the back of the
 * event loop: so nobody lets it come to that.
 */
export const MOST_SILENCE = 0.6;

export interface RelayTerms {
  readonly servers: readonly Server[];
  readonly clock: Clock;
  /** Of the session, as far as is known. */
  readonly timeoutMs: () => number;
}
