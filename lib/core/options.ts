import { type LockBackend } from './backend.js';
import { LockConfigError, quote } from './errors.js';
import { nobody, type OwnerAt, ownerOf } from './owner.js';

/**
 * How a key may be shared. `'exclusive'`: with nobody. `'shared'`: with every other `'shared'`. `{ limit: n }`: by n
 * holders in all. Callers that disagree are safe: no holder ever shares with more than it allows itself.
 */
export type LockMode = 'exclusive' | 'shared' | { readonly limit: number };

/** What one acquisition may choose. */
export interface AcquireOptions {
  /** Default `'exclusive'`. */
  readonly mode?: LockMode;
  /** How long to wait for the key, in milliseconds. 0: one try. Infinity: for ever. */
  readonly waitMs?: number;
  /** How long the lock outlives the silence of this process, in milliseconds, at least 100. Renewed while held. */
  readonly leaseMs?: number;
  /** After this long the hold ends as if it were lost: `signal` aborts. Default: never. */
  readonly maxHoldMs?: number;
  /** Ends the waiting: the acquisition rejects with the signal's reason. Does nothing once the lock is had. */
  readonly signal?: AbortSignal;
  /**
   * What of the application asks, in few different words: `'Orders.ship'`. In events, and in what `inspect` shows others.
   * `@Locked` and `LockInterceptor` give class and method where it is not given.
   */
  readonly site?: string;
}

/** What `run` may choose besides. */
export interface RunOptions extends AcquireOptions {
  /**
   * The key stays locked for at least this long after it was acquired, even when the body ends sooner: for a job that
   * several replicas start at nearly the same time and only one may do. The lease is raised to cover it.
   */
  readonly minHoldMs?: number;
  /** When the lock was lost while the body ran: reject with LockLostError (default), or hand out the body's value. */
  readonly onLost?: 'throw' | 'ignore';
  /**
   * Enter when this call chain holds the key already, instead of LockReentrancyError. Siblings still take turns. It is the
   * outer lock that is held then, with its `leaseMs`, `minHoldMs` and `maxHoldMs`.
   */
  readonly reentrant?: boolean;
}

export interface LockManagerOptions {
  /** Where the locks live. */
  readonly backend: LockBackend;
  /** Default lease, in milliseconds. 10 000 where it is not given. */
  readonly leaseMs?: number;
  /** Default wait, in milliseconds. 10 000 where it is not given. */
  readonly waitMs?: number;
  /**
   * How many times in a row a key may pass from one caller of this process to the next without asking the backend, 0 to
   * 1023. 16 where it is not given. 0 orders all callers of all processes strictly, at two commands for every lock.
   */
  readonly localHandOffs?: number;
  /**
   * How long this process keeps an exclusive claim after its last release, in milliseconds. 0 where it is not given. A caller
   * of it that comes meanwhile takes the claim over without asking the backend: a hand-off, which `localHandOffs` counts. The
   * claim leaves at once when the backend tells that somebody else wants the key: one that waits, or one that tried, was
   * refused, and tries again. It cannot promise that it is told: then others wait until nobody of this process has come for
   * as long as this, or `localHandOffs` are used up. Nor that a release finds out that the lock was gone: it asks nobody, and
   * `run` fulfils; the resource, which checks the token, knows. A process that ends without `close` leaves the claim to its
   * lease.
   */
  readonly retainMs?: number;
  /** How many callers of this process may wait for one key; the next gets LockUnavailableError at once. 10 000 where it is not given. */
  readonly maxWaiters?: number;
  /** How long `drain` and `close` let every `run` end, in milliseconds. 10 000 where it is not given. */
  readonly drainMs?: number;
  /**
   * What of this process is kept with its claims, for people who `inspect` a line: the application (`npm_package_name` of
   * the environment where it is not given), host name, process id, and the `site` of each acquisition. false: nothing.
   */
  readonly owner?: false | { readonly application?: string };
  /** What events call this lock manager. `'default'` where it is not given; LockModule gives the name of its service. */
  readonly name?: string;
}

/** What the core works with: every choice made, every value checked. */
export interface Defaults {
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly localHandOffs: number;
  readonly retainMs: number;
  readonly maxWaiters: number;
  readonly drainMs: number;
  readonly ownerAt: OwnerAt;
  readonly name: string;
}

/** What makes one claim as good as another: a claim may pass to a caller with equal terms only. */
export interface Terms {
  readonly slots: number;
  readonly leaseMs: number;
}

export interface Wish extends Terms {
  readonly waitMs: number;
  readonly minHoldMs: number;
  readonly maxHoldMs: number;
  readonly signal: AbortSignal | undefined;
  readonly site: string | undefined;
  /** Whether a manager that drains waits for it. Not for what it cannot see the end of: a lock held by hand, a wait for ever. */
  readonly awaited: boolean;
}

const MIN_LEASE_MS = 100;
/** About 24 days: what timers and stores keep exactly. */
const MAX_LEASE_MS = 2 ** 31 - 1;
const MAX_KEY_BYTES = 1024;
/** The fencing token has ten bits for hand-offs under one claim. */
const MAX_HAND_OFFS = 2 ** 10 - 1;

export function readDefaults(options: LockManagerOptions): Defaults {
  const { leaseMs = 10_000, waitMs = 10_000, drainMs = 10_000 } = options;
  const { localHandOffs = 16, retainMs = 0, maxWaiters = 10_000 } = options;
  checkLease(leaseMs);
  checkDuration('waitMs', waitMs);
  checkDuration('drainMs', drainMs);
  checkCount('localHandOffs', localHandOffs, 0, MAX_HAND_OFFS);
  checkDuration('retainMs', retainMs);
  if (retainMs > MAX_LEASE_MS) throw bad('retainMs', retainMs, `at most ${MAX_LEASE_MS} milliseconds`);
  if (retainMs > 0 && localHandOffs === 0) throw bad('retainMs', retainMs, '0 where localHandOffs is 0');
  if (maxWaiters !== Infinity) checkCount('maxWaiters', maxWaiters, 1, Number.MAX_SAFE_INTEGER);
  const { owner = {}, name = 'default' } = options;
  if (typeof name !== 'string' || name === '') throw bad('name', name, 'a string that is not empty');
  return { leaseMs, waitMs, localHandOffs, retainMs, maxWaiters, drainMs, ownerAt: readOwnerOption(owner), name };
}

export function readWish(
  options: AcquireOptions & { readonly minHoldMs?: number },
  defaults: Pick<Defaults, 'leaseMs' | 'waitMs'>,
): Wish {
  if (typeof options !== 'object' || options === null)
    throw new LockConfigError(`options must be an object, not ${show(options)}`);
  const { waitMs = defaults.waitMs, minHoldMs = 0, maxHoldMs = Infinity, signal, site } = options;
  const { leaseMs = defaults.leaseMs } = options;
  checkDuration('waitMs', waitMs);
  checkLease(leaseMs);
  checkDuration('minHoldMs', minHoldMs);
  if (minHoldMs > MAX_LEASE_MS) throw bad('minHoldMs', minHoldMs, `at most ${MAX_LEASE_MS} milliseconds`);
  checkDuration('maxHoldMs', maxHoldMs);
  if (maxHoldMs === 0) throw bad('maxHoldMs', maxHoldMs, 'more than 0 milliseconds');
  if (minHoldMs > maxHoldMs) throw bad('minHoldMs', minHoldMs, `at most maxHoldMs, which is ${maxHoldMs}`);
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw bad('signal', signal, 'an AbortSignal');
  }
  if (site !== undefined && typeof site !== 'string') throw bad('site', site, 'a string');
  const slots = slotsOf(options.mode);
  return { slots, leaseMs: Math.max(leaseMs, minHoldMs), waitMs, minHoldMs, maxHoldMs, signal, site, awaited: false };
}

function readOwnerOption(owner: unknown): OwnerAt {
  if (owner === false) return nobody;
  const { application } = (owner ?? {}) as { readonly application?: unknown };
  const isOwner = typeof owner === 'object' && owner !== null;
  if (!isOwner || (application !== undefined && typeof application !== 'string')) {
    throw bad('owner', owner, 'false, or an object with the name of the application');
  }
  return ownerOf(application);
}

/** What becomes of a value whose lock was lost meanwhile. */
export function readOnLost({ onLost = 'throw' }: RunOptions): 'throw' | 'ignore' {
  if (onLost !== 'throw' && onLost !== 'ignore') throw bad('onLost', onLost, `'throw' or 'ignore'`);
  return onLost;
}

function slotsOf(mode: LockMode = 'exclusive'): number {
  if (mode === 'exclusive') return 1;
  if (mode === 'shared') return Infinity;
  const limit: unknown = typeof mode === 'object' ? mode?.limit : undefined;
  if (limit === undefined) throw bad('mode', mode, `'exclusive', 'shared' or { limit: n }`);
  checkCount('limit', limit, 1, MAX_LEASE_MS);
  return limit;
}

/** The keys of one acquisition: checked, sorted so that two acquisitions never wait for each other, each once. */
export function readKeys(keys: string | readonly string[]): readonly string[] {
  if (!Array.isArray(keys)) return [readKey(keys)];
  if (keys.length === 0) throw new LockConfigError('an empty list of keys locks nothing: name at least one');
  return [...new Set(keys.map(readKey))].toSorted();
}

function readKey(key: unknown): string {
  if (typeof key !== 'string') throw new LockConfigError(`a key is a string, not ${show(key)}`);
  if (key === '') throw new LockConfigError('a key must not be empty: all callers would share one lock', key);
  // A string is never longer in UTF-16 units than in UTF-8 bytes, so the exact count is rarely needed.
  if (key.length > MAX_KEY_BYTES || (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES)) {
    throw new LockConfigError(`${quote(key)} is longer than ${MAX_KEY_BYTES} bytes: hash what makes it long`, key);
  }
  // Two different lone surrogates become the same bytes, and so two keys would become one lock.
  if (!key.isWellFormed()) throw new LockConfigError(`${quote(key)} has a lone surrogate: it is not well-formed`, key);
  return key;
}

function checkLease(leaseMs: unknown): void {
  checkDuration('leaseMs', leaseMs);
  if (leaseMs < MIN_LEASE_MS || leaseMs > MAX_LEASE_MS) {
    throw bad('leaseMs', leaseMs, `from ${MIN_LEASE_MS} to ${MAX_LEASE_MS} milliseconds`);
  }
}

function checkDuration(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number' || !(value >= 0)) throw bad(name, value, 'a number of milliseconds, 0 or more');
}

function checkCount(name: string, value: unknown, least: number, most: number): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw bad(name, value, `a whole number from ${least} to ${most}`);
  }
}

function bad(name: string, value: unknown, wanted: string): LockConfigError {
  return new LockConfigError(`${name} must be ${wanted}, not ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === 'string'
    ? quote(value)
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value);
}
