import { AsyncResource } from 'node:async_hooks';
import { LockLostError } from '../core/errors.js';
import { type Lock } from '../core/lock.js';

/**
 * A run whose body goes on until the last stream that needs the lock has left it: for results that are handed out long
 * before they end.
 *
 * States: open, with any number of streams in it → over, once the last one has left. Nothing enters it after that.
 */
export class OpenRun {
  /** What the body of the run waits for. */
  readonly over: Promise<void>;
  private finish!: () => void;
  private streams = 0;
  private isOver = false;
  /** The call chain that holds the lock. Without it, a stream would go on in that of whoever asks it for more. */
  private readonly scope = new AsyncResource('nestjs-locked');

  constructor(
    private readonly lock: Lock,
    private readonly released: () => Promise<unknown>,
    private readonly options: { readonly heedsLoss: boolean },
  ) {
    this.over = new Promise((resolve) => (this.finish = resolve));
    // A stream that was handed out and that nobody reads would never leave.
    this.lossSignal?.addEventListener('abort', this.finish, { once: true });
  }

  /** Aborts when the lock is lost; undefined when that does not matter. */
  get lossSignal(): AbortSignal | undefined {
    return this.options.heedsLoss ? this.lock.signal : undefined;
  }

  /** Runs a step in the call chain that holds the lock. */
  inside<T>(step: () => T): T {
    return this.scope.runInAsyncScope(step);
  }

  /**
   * Keeps the run open until the function that it returns is called. What that returns resolves when the lock has been
   * released, if this was the last stream, and rejects with LockLostError if it was lost.
   *
   * @throws LockLostError like `assertOpen`.
   */
  enter(): () => Promise<void> {
    this.assertOpen();
    this.streams += 1;
    let left: Promise<void> | undefined;
    return () => (left ??= this.leave());
  }

  /** @throws LockLostError when it is over, or when the lock was lost and that matters. */
  assertOpen(): void {
    if (this.isOver) throw new LockLostError(this.lock.key, 'released');
    // Not `held`, which a mere doubt makes false: the lock counts the lease when it is asked for its signal, and knows.
    this.lossSignal?.throwIfAborted();
  }

  private async leave(): Promise<void> {
    this.streams -= 1;
    if (this.streams > 0) return;
    this.isOver = true;
    this.finish();
    await this.released();
  }
}

/** For the end of a stream that has nobody to tell of a lost lock, or something worse to tell. */
export async function quietly(leave: () => Promise<void>): Promise<void> {
  await leave().catch(() => undefined);
}
