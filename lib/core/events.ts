import { AsyncResource } from 'node:async_hooks';
import { type LockError, type LossReason } from './errors.js';

/** What happened to one acquisition. `claim` is a shortened id, enough to tell claims apart. */
export type LockEvent =
  /** It could not be had at once and waits. */
  | { readonly type: 'queued'; readonly key: string; readonly ahead: number }
  | Acquired<'acquired'>
  /** Acquired from the previous caller of this process, without asking the backend. */
  | Acquired<'handed-over'>
  | { readonly type: 'renewed'; readonly key: string; readonly claim: string }
  /** Not known whether it was renewed; tried again until the lease ends. */
  | { readonly type: 'renewal-failed'; readonly key: string; readonly claim: string; readonly error: unknown }
  | { readonly type: 'lost'; readonly key: string; readonly claim: string; readonly reason: LossReason }
  | { readonly type: 'released'; readonly key: string; readonly claim: string; readonly heldMs: number }
  /** Not known whether the backend let go; tried again until the lease ends. */
  | { readonly type: 'release-failed'; readonly key: string; readonly claim: string; readonly error: unknown }
  /** The wait was over before the key was had. */
  | { readonly type: 'timed-out'; readonly key: string; readonly waitedMs: number; readonly error: LockError }
  | { readonly type: 'aborted'; readonly key: string; readonly waitedMs: number };

interface Acquired<Type extends string> {
  readonly type: Type;
  readonly key: string;
  readonly claim: string;
  readonly fencingToken: bigint;
  readonly waitedMs: number;
}

export type LockListener = (event: LockEvent) => void;

/**
 * The one source of events. They are delivered in order, but never in the middle of what they tell of: a listener may
 * acquire, release and close. One that throws changes nothing but its own fate, and is told of as a process warning.
 */
export class LockEvents {
  private readonly listeners = new Set<LockListener>();
  private queue: LockEvent[] = [];

  /** Whether an event is worth making. */
  get wanted(): boolean {
    return this.listeners.size > 0;
  }

  subscribe(listener: LockListener): () => void {
    // In the async context of whoever subscribed, whoever it is that an event is about.
    const own: LockListener = AsyncResource.bind((event: LockEvent) => deliver(listener, event));
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  emit(event: LockEvent): void {
    if (this.queue.length === 0) queueMicrotask(() => this.flush());
    this.queue.push(event);
  }

  private flush(): void {
    const due = this.queue;
    this.queue = [];
    for (const event of due) for (const listener of this.listeners) listener(event);
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
