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

/** The one source of events. A listener that throws changes nothing but its own fate: it is told as a process warning. */
export class LockEvents {
  private readonly listeners = new Set<LockListener>();

  /** Whether an event is worth making. */
  get wanted(): boolean {
    return this.listeners.size > 0;
  }

  subscribe(listener: LockListener): () => void {
    const own: LockListener = (event) => listener(event);
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  emit(event: LockEvent): void {
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(
          `a listener of lock events threw on '${event.type}': ${String(error)}`,
          'LockListenerWarning',
        );
      }
    }
  }
}
