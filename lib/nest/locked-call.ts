import { isLockError, type LockUnavailableError } from '../core/errors.js';
import { type LockManager } from '../core/lock-manager.js';
import { type Lock } from '../core/lock.js';
import { type RunOptions } from '../core/options.js';
import { type ReadOptions } from './locked.options.js';
import { OpenRun } from './open-run.js';

/** Has `leave` called when whoever waits need no longer be served; the function it returns ends that. */
export type Leaver = (leave: (reason: unknown) => void) => () => void;

/** One call that is to run under a lock: of a `@Locked` method, or of what is behind a LockInterceptor. */
export class LockedCall {
  constructor(
    private readonly locks: LockManager,
    private readonly keys: readonly string[],
    private readonly options: ReadOptions,
    private readonly leaver?: Leaver,
  ) {}

  /** Runs the body under the lock. When that is not to be had, `busy` is given what `onBusy` answers. */
  run<T>(body: (lock: Lock) => T | PromiseLike<T>, busy: (answer: unknown) => T): Promise<T> {
    return this.runWith(this.options.run, body, busy);
  }

  /**
   * Has `begin` called under the lock, which is then held until the run is left, and resolves to what `begin` returned.
   * When the lock is not to be had, resolves to what `busy` makes of the answer of `onBusy`. `left` ends the waiting.
   */
  open<T>(begin: (run: OpenRun) => T, busy: (answer: unknown) => T, left: AbortController): Promise<T> {
    return new Promise((resolve, reject) => {
      const stopHeeding = this.heed(left);
      const options = { ...this.options.run, signal: left.signal };
      const body = (lock: Lock): Promise<void> => {
        const run = this.openRun(lock, () => released);
        resolve(begin(run));
        return run.over;
      };
      const released = this.runWith<void>(options, body, (answer) => resolve(busy(answer)));
      // Once it has begun, whoever leaves the run is told, and this does nothing.
      released.catch(reject).finally(stopHeeding);
    });
  }

  /** Has the lock, which a body runs under, held for longer than it takes the body to return. */
  openRun(lock: Lock, released: () => Promise<unknown>): OpenRun {
    return new OpenRun(lock, released, { heedsLoss: this.options.run.onLost !== 'ignore' });
  }

  private async runWith<T>(
    options: RunOptions,
    body: (lock: Lock) => T | PromiseLike<T>,
    busy: (answer: unknown) => T,
  ): Promise<T> {
    let acquired = false;
    try {
      return await this.locks.run(this.keys, options, (lock) => {
        acquired = true;
        return body(lock);
      });
    } catch (error) {
      // Not when the body failed to get a lock of its own: that is the body's error.
      if (acquired || !isUnavailable(error) || this.options.onBusy === 'throw') throw error;
      return busy(await this.answer(error));
    }
  }

  private answer(error: LockUnavailableError): unknown {
    const { keys } = this;
    const { onBusy } = this.options;
    return typeof onBusy === 'function' ? onBusy({ key: keys.join(' + '), keys, error }) : undefined;
  }

  /** Has the waiting aborted by whatever ends it besides the caller, until the function that it returns is called. */
  private heed(left: AbortController): () => void {
    const { signal } = this.options.run;
    const leave = (reason: unknown): void => left.abort(reason);
    const stops = [this.leaver?.(leave), signal && whenAborted(signal)(leave)];
    return () => stops.forEach((stop) => stop?.());
  }
}

/** Not by instanceof: the service may be one of another copy of this package. */
function isUnavailable(error: unknown): error is LockUnavailableError {
  return isLockError(error) && error.code === 'LOCK_UNAVAILABLE';
}

/** AbortSignal.any would do, but on Node 20 a signal that lives long keeps something of every signal made from it. */
function whenAborted(signal: AbortSignal): Leaver {
  return (leave) => {
    const listener = (): void => leave(signal.reason);
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
    return () => signal.removeEventListener('abort', listener);
  };
}
