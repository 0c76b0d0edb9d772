import { tracingChannel } from 'node:diagnostics_channel';
import { type EventOrigin } from './events.js';
import { type Wish } from './options.js';

/** What the subscribers of a tracing channel are given of one call. Node adds `result` or `error` to it when it has settled. */
export interface LockTrace extends EventOrigin {
  readonly keys: readonly string[];
  /** What of the application asks, if it said so: `'Orders.ship'`. */
  readonly site: string | undefined;
  /** What the body resolved to, or, of `acquire`, the Lock. */
  readonly result?: unknown;
  readonly error?: unknown;
}

/**
 * Two tracing channels of `node:diagnostics_channel`, for whoever makes spans: `nestjs-locked:acquire`, from asking for the
 * keys until they are had or not, and `nestjs-locked:run`, which is around that, the body and the release. Unlike an event,
 * `start` is published in the async context of the caller, and a store that is bound to it is there for all that the call
 * does: what a body starts is a child of its span.
 */
const channels = {
  acquire: tracingChannel<string, LockTrace>('nestjs-locked:acquire'),
  run: tracingChannel<string, LockTrace>('nestjs-locked:run'),
};

/** The call, told of if anybody listens. */
export function traced<T>(
  what: keyof typeof channels,
  origin: EventOrigin,
  { keys, wish }: { readonly keys: readonly string[]; readonly wish: Wish },
  call: () => Promise<T>,
): Promise<T> {
  const channel = channels[what];
  if (!channel.hasSubscribers) return call();
  return channel.tracePromise(call, { ...origin, keys, site: wish.site });
}
