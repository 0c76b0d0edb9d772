import { type Answer } from './answer.js';
import { type Context } from './context.js';
import { type Wish } from './options.js';
import { type Timer } from './timers.js';

/**
 * Somebody who waits: until served, until its time is up, or until its signal aborts. Whichever comes first settles the
 * promise, and takes timer and listener with it.
 */
export class Caller<T> {
  readonly joinedAt: number;
  /** Served, or sent away. */
  settled = false;
  private timer: Timer | undefined;
  private outcome: Answer<T> | undefined;
  private resolve: ((value: T) => void) | undefined;
  private reject: ((reason: unknown) => void) | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly context: Context,
    readonly wish: Wish,
  ) {
    this.joinedAt = context.clock.now();
  }

  /** What it is served with; a promise of it while it waits, and if it was sent away. Read once. */
  get served(): Answer<T> {
    if (this.settled) return this.outcome!;
    return new Promise<T>((resolve, reject) => {
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
    if (this.resolve === undefined) this.outcome = value;
    else this.resolve(value);
  }

  fail(reason: unknown): void {
    this.settle();
    if (this.reject === undefined) this.outcome = Promise.reject(reason);
    else this.reject(reason);
  }

  private settle(): void {
    this.settled = true;
    this.context.timers.cancel(this.timer);
    this.stopListening?.();
  }
}
