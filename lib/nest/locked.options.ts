import { LockConfigError, type LockUnavailableError } from '../core/errors.js';
import { type Defaults, readKeys, readWish, type RunOptions } from '../core/options.js';
import { DEFAULT_NAME } from './lock-service.token.js';

/** What a function given as `onBusy` is told. */
export interface Busy {
  /** The key; with several keys, all of them, for display. */
  readonly key: string;
  /** The keys, sorted. */
  readonly keys: readonly string[];
  readonly error: LockUnavailableError;
}

/** What happens when the key is not to be had. */
export type OnBusy<Result = unknown> = 'throw' | 'skip' | ((busy: Busy) => Result);

/** How `@Locked` and `LockInterceptor` lock. */
export interface LockedOptions<Chosen extends OnBusy = OnBusy> extends RunOptions {
  /**
   * When the key is not to be had in `waitMs`: `'throw'` LockUnavailableError (default), `'skip'` the call, which then
   * results in undefined, or have a function give the result. With the latter two, `waitMs` is 0 unless it is given.
   *
   * An Observable emits that result, an async generator yields it; skipped, an Observable emits undefined, and an async
   * generator ends at once.
   */
  readonly onBusy?: Chosen;
  /** The name of the lock service to use, where `LockModule` was given one. */
  readonly service?: string;
}

/** Options with every choice made that does not depend on the service. */
export interface ReadOptions {
  readonly run: RunOptions;
  readonly onBusy: OnBusy;
  readonly service: string;
}

/** Any that are valid: what is checked of the options does not depend on them. */
const ANY_DEFAULTS: Defaults = { leaseMs: 1_000, waitMs: 0, localHandOffs: 0, maxWaiters: 1, drainMs: 0 };

/**
 * @param place what is locked, for messages: `Orders.ship`.
 * @throws LockConfigError for a value that cannot be.
 */
export function readOptions(place: string, options: LockedOptions): ReadOptions {
  const { onBusy = 'throw', service = DEFAULT_NAME, ...run } = options;
  if (onBusy !== 'throw' && onBusy !== 'skip' && typeof onBusy !== 'function') {
    throw new LockConfigError(`${place}: onBusy must be 'throw', 'skip' or a function`);
  }
  if (typeof service !== 'string' || service === '') {
    throw new LockConfigError(`${place}: service must be the name of a lock service`);
  }
  named(place, () => readWish(run, ANY_DEFAULTS));
  return { run: onBusy === 'throw' ? run : { waitMs: 0, ...run }, onBusy, service };
}

/** @throws LockConfigError for what cannot be a key. */
export function readKeysOf(place: string, keys: unknown): readonly string[] {
  return named(place, () => readKeys(keys as string | readonly string[]));
}

/** Says where a mistake is that the core found. */
function named<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LockConfigError)) throw error;
    throw new LockConfigError(`${place}: ${error.message}`, error.key, { cause: error });
  }
}
