import { tracingChannel } from 'node:diagnostics_channel';
import { type Answer } from './answer.js';
import { type EventOrigin } from './events.js';
import { type Lock } from './lock.js';
import { type Wish } from './options.js';

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

type What = keyof typeof channels;

interface Facts {
  readonly keys: readonly string[];
  readonly wish: Wish;
  readonly lock?: Lock;
}

/** The call, told of if anybody listens. */
export function traced<T>(what: What, origin: EventOrigin, facts: Facts, call: () => Promise<T>): Promise<T>;
export function traced<T>(what: What, origin: EventOrigin, facts: Facts, call: () => Answer<T>): Answer<T>;
export function traced<T>(what: What, origin: EventOrigin, facts: Facts, call: () => Answer<T>): Answer<T> {
  const channel = channels[what];
  if (!channel.hasSubscribers) return call();
  const { wish, ...told } = facts;
  return channel.tracePromise(async () => call(), { ...origin, ...told, site: wish.site });
}
