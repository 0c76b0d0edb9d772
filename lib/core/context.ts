import { type LockBackend } from './backend.js';
import { type Clock } from './clock.js';
import { type LockEvents } from './events.js';
import { type Random } from './random.js';
import { type Timers } from './timers.js';

/** What the parts of one lock manager share. */
export interface Context {
  readonly backend: LockBackend;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly events: LockEvents;
  /** Claims that are on their way out of their line. `close` waits for them. */
  readonly leaving: Set<Promise<unknown>>;
  /**
   * Runs what serves all callers of the manager outside of the async context of the one that happened to cause it. A timer
   * would otherwise run in the scope, and the request, of whoever set Node's alarm.
   */
  readonly detached: <T>(work: () => T) => T;
  /** Once it drains, no claim is kept for whoever may come. */
  draining: boolean;
  /** Once closed, nothing is tried again. */
  closed: boolean;
}

/** Enough of a claim's id to tell claims apart, too little to act for one. */
export function shorten(id: string): string {
  return id.length <= 8 ? id : `…${id.slice(-8)}`;
}

/** Lets `close` wait for a claim that is on its way out. */
export function track(context: Context, leaving: Promise<unknown>): void {
  const gone = (): void => void context.leaving.delete(leaving);
  context.leaving.add(leaving);
  void leaving.then(gone, (error: unknown) => {
    gone();
    throw error;
  });
}
