import { LockConfigError, type LockUnavailableError } from '../core/errors.js';
import { readKeys, readOnLost, readWish, type RunOptions } from '../core/options.js';
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

/** What ends the waiting: one signal for all calls, or a function that finds that of the call. */
export type LockSignal<Args extends readonly unknown[] = never[]> =
  AbortSignal | ((this: never, ...args: Args) => AbortSignal | undefined);

/** How `@Locked` and `LockInterceptor` lock. */
export interface LockedOptions<Chosen extends OnBusy = OnBusy, Signal = AbortSignal> extends Omit<
  RunOptions,
  'signal'
> {
  /**
   * When the key is not to be had in `waitMs`: `'throw'` LockUnavailableError (default), `'skip'` the call, which then
   * results in undefined, or have a function give the result. With the latter two, `waitMs` is 0 unless it is given.
   *
   * An Observable emits that result, an async generator yields it; skipped, an Observable emits undefined, and an async
   * generator ends at once.
   */
  readonly onBusy?: Chosen;
  /**
   * Ends the waiting: the call fails with the reason of the signal. A function finds the signal of each call, from the
   * method's arguments with `this` being the instance, or from the ExecutionContext. Does nothing once the lock is had.
   */
  readonly signal?: Signal;
  /** The name of the lock service to use, where `LockModule` was given one. */
  readonly service?: string;
}

/** Options with every choice made that does not depend on the service. */
export interface ReadOptions {
  readonly run: RunOptions;
  /** The signal of one call, where it depends on that. */
  readonly signalOf: ((this: unknown, ...args: unknown[]) => unknown) | undefined;
  readonly onBusy: OnBusy;
  readonly service: string;
}

/** Any that are valid: what is checked of the options does not depend on them. */
const ANY_DEFAULTS = { leaseMs: 1_000, waitMs: 0 };

/**
 * @param place what is locked, for messages: `Orders.ship`.
 * @throws LockConfigError that names every value which cannot be, a line each.
 */
export function readOptions(place: string, options: LockedOptions<OnBusy, LockSignal>): ReadOptions {
  const problems = [...problemsIn(options)];
  if (problems.length > 0) throw new LockConfigError(problems.map((problem) => `${place}: ${problem}`).join('\n'));
  const { onBusy = 'throw', service = DEFAULT_NAME, signal, ...rest } = options;
  const chosen = onBusy === 'throw' ? { site: place, ...rest } : { site: place, waitMs: 0, ...rest };
  if (typeof signal === 'function')
    return { run: chosen, signalOf: signal as ReadOptions['signalOf'], onBusy, service };
  const run = signal === undefined ? chosen : { ...chosen, signal };
  return { run, signalOf: undefined, onBusy, service };
}

/**
 * The options of one call.
 *
 * @throws LockConfigError when the function for the signal finds something else.
 */
export function optionsOfCall(place: string, read: ReadOptions, instance: unknown, args: unknown[]): ReadOptions {
  const signal = read.signalOf?.apply(instance, args) as AbortSignal | undefined;
  if (signal === undefined) return read;
  const problem = problemIn({ signal });
  if (problem !== undefined) throw new LockConfigError(`${place}: ${problem}`);
  return { ...read, run: { ...read.run, signal } };
}

function* problemsIn(options: LockedOptions<OnBusy, LockSignal>): Generator<string, void> {
  if (typeof options !== 'object' || options === null) return yield 'options must be an object';
  const { onBusy = 'throw', service = DEFAULT_NAME, signal, ...rest } = options;
  if (onBusy !== 'throw' && onBusy !== 'skip' && typeof onBusy !== 'function') {
    yield `onBusy must be 'throw', 'skip' or a function`;
  }
  if (typeof service !== 'string' || service === '') yield 'service must be the name of a lock service';
  const run = typeof signal === 'function' ? rest : { ...rest, signal };
  // Each by itself, so that the first that is wrong does not hide the next; then how they fit together.
  const wrong = Object.entries(run).flatMap(([name, value]) => problemIn({ [name]: value } as RunOptions) ?? []);
  if (wrong.length > 0) return yield* wrong;
  const together = problemIn(rest);
  if (together !== undefined) yield together;
}

function problemIn(options: RunOptions): string | undefined {
  try {
    readWish(options, ANY_DEFAULTS);
    readOnLost(options);
    return undefined;
  } catch (error) {
    if (error instanceof LockConfigError) return error.message;
    throw error;
  }
}

/** @throws LockConfigError for what cannot be a key. */
export function readKeysOf(place: string, keys: unknown): readonly string[] {
  try {
    return readKeys(keys as string | readonly string[]);
  } catch (error) {
    if (!(error instanceof LockConfigError)) throw error;
    throw new LockConfigError(`${place}: ${error.message}`, error.key, { cause: error });
  }
}
