import { AsyncResource } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { type LockError, type LossReason } from './errors.js';
import { type LockOwner } from './owner.js';

/** What happened to one acquisition, and whose it was. */
export type LockEvent = EventOrigin & Happening;

/** Which lock manager tells of it. */
export interface EventOrigin {
  /** The name of the lock service: `'default'` where it was given none. */
  readonly service: string;
  /** The name of its backend: `'redis'`. */
  readonly backend: string;
}

export type Happening =
  /** It could not be had at once and waits. */
  | (Subject<'queued'> & { readonly ahead: number })
  | Acquired<'acquired'>
  /** Acquired from the previous caller of this process, without asking the backend. */
  | Acquired<'handed-over'>
  | (Subject<'renewed'> & Claimed)
  /** Not known whether it was renewed; tried again until the lease ends. */
  | (Subject<'renewal-failed'> & Claimed & { readonly error: unknown })
  /** Told once for every lock that is lost; also after its release, if that found it gone. */
  | (Subject<'lost'> & Claimed & Ended & { readonly reason: LossReason })
  | (Subject<'released'> & Claimed & Ended)
  /** Not known whether the backend let go; tried again until the lease ends. */
  | (Subject<'release-failed'> & Claimed & { readonly error: unknown })
  /** The wait was over before the key was had; `error.code` tells contention from trouble with the backend. */
  | (Subject<'timed-out'> & { readonly waitedMs: number; readonly error: LockError })
  | (Subject<'aborted'> & { readonly waitedMs: number })
  /** This manager has taken somebody's claim away, by `forceRelease`. */
  | (Subject<'forced'> & Claimed & { readonly owner: LockOwner | undefined });

interface Subject<Type extends string> {
  readonly type: Type;
  readonly key: string;
  /** What of the application wanted it, if that is known: `'Orders.ship'`. */
  readonly site?: string | undefined;
}

interface Claimed {
  /** A shortened id: enough to tell claims apart. What `inspect` calls so, too. */
  readonly claim: string;
}

interface Acquired<Type extends string> extends Subject<Type>, Claimed {
  readonly fencingToken: bigint;
  readonly waitedMs: number;
}

interface Ended {
  readonly fencingToken: bigint;
  /** From when it was acquired until now. */
  readonly heldMs: number;
}

export type LockListener = (event: LockEvent) => void;

/**
 * The channel of `node:diagnostics_channel` that every event of every lock manager of the process is published on, for whoever has
 * no manager in hand: `subscribe('nestjs-locked', (event) => …)`, with a LockEvent.
 *
 * One for all types, and not one for each: whoever draws a timeline or counts wants nearly all of them in the order in which
 * they happened, and one look tells whether anybody listens. A subscriber that throws is Node's to deal with, as an
 * uncaught exception; locks do not notice.
 */
const published = channel('nestjs-locked');

/**
 * The one source of events. They are delivered in order, but never in the middle of what they tell of: a listener may
 * acquire, release and close. One that throws changes nothing but its own fate, and is told of as a process warning.
 */
export class LockEvents {
  private readonly listeners = new Set<LockListener>();
  private queue: LockEvent[] = [];
  private readonly publish: (event: LockEvent) => void;

  /** `detached` is what the channel is served in; see Context. */
  constructor(
    private readonly origin: EventOrigin,
    detached: (work: () => void) => void,
  ) {
    this.publish = (event) => detached(() => published.publish(event));
  }

  /** Whether an event is worth making. */
  get wanted(): boolean {
    return this.listeners.size > 0 || published.hasSubscribers;
  }

  subscribe(listener: LockListener): () => void {
    // In the async context of whoever subscribed, whoever it is that an event is about.
    const own: LockListener = AsyncResource.bind((event: LockEvent) => deliver(listener, event));
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  emit(happening: Happening): void {
    if (this.queue.length === 0) queueMicrotask(() => this.flush());
    this.queue.push({ ...this.origin, ...happening });
  }

  private flush(): void {
    const due = this.queue;
    this.queue = [];
    for (const event of due) {
      for (const listener of this.listeners) listener(event);
      if (published.hasSubscribers) this.publish(event);
    }
  }
}

function deliver(listener: LockListener, event: LockEvent): void {
  const warn = (error: unknown): void => {
    const because = error instanceof Error ? error.message : typeof error;
    process.emitWarning(`a listener of lock events threw on '${event.type}': ${because}`, 'LockListenerWarning');
  };
  try {
    const result: unknown = listener(event);
    if (result instanceof Promise) result.catch(warn);
  } catch (error) {
    warn(error);
  }
}
