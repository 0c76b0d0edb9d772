import { tracingChannel } from 'node:diagnostics_channel';
import { type EventOrigin } from './events.js';
import { type Lock } from './lock.js';

/** What the subscribers of a tracing channel are given of one call. Node adds `result` or `error` to it when it has settled. */
export interface LockTrace extends EventOrigin {
  readonly keys: readonly string[];
  /** What of the application asks, if it said so: `'Orders.ship'`. */
  readonly site: string | undefined;
  /** Of `hold`: the lock that is held, the same object that was the result of `acquire`. */
  readonly lock?: Lock;
  /** Of `acquire`, the Lock; of `hold`, what the body resolved to. */
  readonly result?: unknown;
  readonly error?: unknown;
}

/**
 * Two tracing channels of `node:diagnostics_channel`, for whoever makes spans: `nestjs-locked:acquire`, from asking for the
 * keys until they are had or not; and, of a `run`, `nestjs-locked:hold`, from then until its body has ended and the lock
 * is released. Unlike an event, `start` is published in the async context of the caller, and a store that is bound to it is
 * there for all that the call does: what a body starts is a child of its span.
 */
const channels = {
  acquire: tracingChannel<string, LockTrace>('nestjs-locked:acquire'),
  hold: tracingChannel<string, LockTrace>('nestjs-locked:hold'),
};

/** The call, told of if anybody listens. `trace` is of this call alone: Node writes into it. */
export function traced<T>(what: keyof typeof channels, trace: LockTrace, call: () => Promise<T>): Promise<T> {
  const channel = channels[what];
  return channel.hasSubscribers ? channel.tracePromise(call, trace) : call();
}
