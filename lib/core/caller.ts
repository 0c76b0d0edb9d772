import { type Context } from './context.js';
import { type Wish } from './options.js';
import { type Timer } from './timers.js';

/**
 * Somebody who waits: until served, until its time is up, or until its signal aborts. Whichever comes first settles the
 * promise, and takes timer and listener with it.
 */
export class Caller<T> {
  readonly served: Promise<T>;
  readonly joinedAt: number;
  private timer: Timer | undefined;
  private settled = false;
  private resolve!: (value: T) => void;
  private reject!: (reason: unknown) => void;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly context: Context,
    readonly wish: Wish,
  ) {
    this.joinedAt = context.clock.now();
    this.served = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get waitedMs(): number {
    return this.context.clock.now() - this.joinedAt;
  }

  /** From now on its signal counts. */
  heed(aborted: (reason: unknown) => void): void {
    const { signal } = this.wish;
    if (signal === undefined || this.settled) return;
    if (signal.aborted) {
      aborted(signal.reason);
      return;
    }
    const listener = (): void => aborted(signal.reason);
    signal.addEventListener('abort', listener, { once: true });
    this.stopListening = () => signal.removeEventListener('abort', listener);
  }

  /** From now on its time runs. It counts from when it joined. */
  hasUntilDeadline(timeUp: () => void): void {
    const { waitMs } = this.wish;
    if (waitMs === Infinity || this.settled || this.timer !== undefined) return;
    this.timer = this.context.timers.set(this.joinedAt + waitMs, true, timeUp);
  }

  serve(value: T): void {
    this.settle();
    this.resolve(value);
  }

  fail(reason: unknown): void {
    this.settle();
    this.reject(reason);
  }

  private settle(): void {
    this.settled = true;
    this.context.timers.cancel(this.timer);
    this.stopListening?.();
  }
}
