import { type Clock } from './clock.js';

/** An instant on both clocks: what passed between two of them differs if the machine slept. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

export function momentOf(clock: Clock): Moment {
  return { now: clock.now(), wall: clock.wall() };
}

/** How much further the wall clock went: the sleep of a suspended machine, which stops the other; or a jump of the wall clock alone. */
export function drift(from: Moment, to: Moment): number {
  return to.wall - from.wall - (to.now - from.now);
}

/**
 * The moment now, for whoever asks how long ago another was. Where one clock seems to have gone further than the other by
 * more than the margin, read again: a process may also be stopped after the one was read and before the other was.
 */
export function momentAfter(from: Moment, clock: Clock, marginMs: number): Moment {
  const moment = momentOf(clock);
  return Math.abs(drift(from, moment)) > marginMs ? momentOf(clock) : moment;
}

/** How much two clocks may drift apart over a lease: 1 % and 2 ms, as in redis.io's description of Redlock. */
export function driftMargin(leaseMs: number): number {
  return leaseMs / 100 + 2;
}
