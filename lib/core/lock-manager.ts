import { asLockError } from './as-lock-error.js';
import { type LockBackend, type Place } from './backend.js';
import { type Clock, systemClock } from './clock.js';
import { type Context, shorten } from './context.js';
import { LockBackendError, LockConfigError, LockReentrancyError, LockUnavailableError } from './errors.js';
import { LockEvents, type LockListener } from './events.js';
import { LocalLine } from './local-line.js';
import { type Lock, type OwnedLock } from './lock.js';
import { type AcquireOptions, type Defaults, type LockManagerOptions, type RunOptions, type Wish } from './options.js';
import { readDefaults, readKeys, readWish } from './options.js';
import { type Random, systemRandom } from './random.js';
import { ReenteredLock } from './reentered-lock.js';
import { currentLock, currentScope, runInScope, Scope } from './scope.js';
import { releaseAll, SeveralLocks } from './several-locks.js';
import { Timers } from './timers.js';

/** One key or several; several are one lock, had only when all are. */
export type Keys = string | readonly string[];

/** A claim in a key's line, as a person sees it. */
export interface LineEntry {
  /** Shortened: enough to tell claims apart, too little to act for one. */
  readonly id: string;
  readonly slots: number;
  readonly place: bigint | undefined;
  readonly leaseLeftMs: number;
  readonly since: number | undefined;
  readonly owner: string | undefined;
  /** Callers of this process that wait in memory behind the claim. */
  readonly callersBehind: number;
}

export interface LineReport {
  readonly key: string;
  readonly holders: readonly LineEntry[];
  /** In order. */
  readonly waiters: readonly LineEntry[];
}

/**
 * Acquires, holds and releases locks on one backend. Usable without Nest; with Nest, `LockService` is this.
 *
 * @throws LockConfigError when an option is out of range.
 */
export class LockManager {
  private readonly defaults: Defaults;
  private readonly context: Context;
  private readonly lines = new Map<string, LocalLine>();
  private readonly bodies = new Set<Promise<unknown>>();
  private draining: Promise<void> | undefined;
  private drained = false;
  private closing: Promise<void> | undefined;

  /** `ports` are for tests and simulations: the clock and the chance that everything of this manager depends on. */
  constructor(options: LockManagerOptions, ports: { readonly clock?: Clock; readonly random?: Random } = {}) {
    const { clock = systemClock, random = systemRandom } = ports;
    const { backend } = options;
    if (typeof backend?.claim !== 'function') {
      throw new LockConfigError('backend must be a LockBackend, such as new MemoryBackend()');
    }
    this.defaults = readDefaults(options);
    // One draw of chance for a manager and a count for its claims: as unguessable from outside, and never twice.
    const own = random.id();
    let claims = 0;
    const claimId = (): string => `${own}-${(claims += 1).toString(36)}`;
    const timers = new Timers(clock);
    const events = new LockEvents();
    this.context = { backend, clock, random, timers, events, leaving: new Set(), claimId };
  }

  /** The innermost lock that this call chain runs under, if any: that of the body of a `run`, or of a `@Locked` method. */
  static current(): Lock | undefined {
    return currentLock();
  }

  /** Whom it asks. */
  get backend(): LockBackend {
    return this.context.backend;
  }

  /**
   * Waits for the key, or for all of several. Release it when done, or let `await using` do so; it is renewed until then.
   * Prefer `run`, which releases whatever happens and guards against waiting for one's own call chain.
   *
   * @throws LockUnavailableError when it was not to be had within `waitMs`.
   * @throws LockBackendError when the backend could not be asked, or the manager is closed.
   * @throws LockReentrancyError when the call chain already holds it.
   * @throws LockConfigError for a key or an option that cannot be.
   * @throws the signal's reason when `signal` aborted first.
   */
  async acquire(keys: Keys, options: AcquireOptions = {}): Promise<Lock> {
    return this.acquireAll(readKeys(keys), readWish(options, this.defaults), false);
  }

  /** Like `acquire`, but does not wait unless `waitMs` is given, and answers null for LockUnavailableError. */
  async tryAcquire(keys: Keys, options: AcquireOptions = {}): Promise<Lock | null> {
    try {
      return await this.acquire(keys, { ...options, waitMs: options.waitMs ?? 0 });
    } catch (error) {
      if (error instanceof LockUnavailableError) return null;
      throw error;
    }
  }

  /**
   * Runs the body while holding the key, or all of several, and releases them when it has ended, however it ended.
   * What the body throws is rethrown untouched, whatever happened to the lock.
   *
   * @throws what `acquire` throws; LockLostError when the lock was lost while the body ran, unless `onLost: 'ignore'`.
   */
  async run<T>(keys: Keys, body: (lock: Lock) => T | PromiseLike<T>): Promise<T>;
  async run<T>(keys: Keys, options: RunOptions, body: (lock: Lock) => T | PromiseLike<T>): Promise<T>;
  async run<T>(
    keys: Keys,
    ...rest: [(lock: Lock) => T | PromiseLike<T>] | [RunOptions, (lock: Lock) => T | PromiseLike<T>]
  ): Promise<T> {
    const [options = {}, body] = rest.length === 1 ? [undefined, rest[0]] : rest;
    if (typeof body !== 'function') throw new LockConfigError('run(key, [options,] body) needs a function as its body');
    const wish = readWish(options, this.defaults);
    const { onLost = 'throw', reentrant = false } = options;
    if (onLost !== 'throw' && onLost !== 'ignore') throw new LockConfigError(`onLost must be 'throw' or 'ignore'`);
    const lock = await this.acquireAll(readKeys(keys), wish, reentrant);
    const running = this.runUnder(lock, body);
    this.bodies.add(running);
    try {
      const value = await running;
      if (lock.loss !== undefined && onLost === 'throw') throw lock.loss;
      return value;
    } finally {
      this.bodies.delete(running);
    }
  }

  /**
   * Who holds the key and who waits for it, now. A report for people: out of date when it arrives.
   *
   * @throws LockBackendError when the backend could not be asked.
   */
  async inspect(key: string): Promise<LineReport> {
    readKeys(key);
    const places = await this.backend.inspect(key).catch((error: unknown) => {
      throw asLockError(error, { key, backend: this.backend.name });
    });
    const line = this.lines.get(key);
    const entry = ({ id, slots, place, leaseLeftMs, since, owner }: Place): LineEntry => {
      const callersBehind = line?.waitersBehind(id) ?? 0;
      return { id: shorten(id), slots, place, leaseLeftMs, since, owner, callersBehind };
    };
    return {
      key,
      holders: places.filter(({ held }) => held).map(entry),
      waiters: places.filter(({ held }) => !held).map(entry),
    };
  }

  /** Calls `listener` with whatever happens to a lock of this manager; the function it returns ends that. */
  subscribe(listener: LockListener): () => void {
    return this.context.events.subscribe(listener);
  }

  /**
   * Takes no new callers, sends those who wait away with LockBackendError, and resolves when the bodies that run have
   * ended, or `drainMs` after it was first called. Those bodies may still acquire what they need to end.
   */
  drain(): Promise<void> {
    this.draining ??= this.letBodiesEnd();
    return this.draining;
  }

  /**
   * Drains, takes from whoever still holds a lock what is left (their `signal` aborts), and closes the backend. Locks in
   * their `minHoldMs` are left to their lease. Settles in bounded time, whatever state the backend is in.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async acquireAll(keys: readonly string[], wish: Wish, reentrant: boolean): Promise<OwnedLock> {
    wish.signal?.throwIfAborted();
    this.refuseIfClosed(keys[0]!);
    const scope = currentScope();
    for (const key of keys) this.refuseReentrancy(scope, key, wish, reentrant);
    if (keys.length === 1) return this.acquireOne(scope, keys[0]!, wish);

    const { clock } = this.context;
    const deadline = clock.now() + wish.waitMs;
    const locks: OwnedLock[] = [];
    try {
      for (const key of keys) {
        const waitMs = Math.max(0, deadline - clock.now());
        locks.push(await this.acquireOne(scope, key, { ...wish, waitMs }));
      }
      for (const lock of locks) lock.assertHeld();
      return new SeveralLocks(locks);
    } catch (error) {
      await releaseAll(locks);
      throw error;
    }
  }

  private async acquireOne(scope: Scope | undefined, key: string, wish: Wish): Promise<OwnedLock> {
    const holding = scope?.holding(this.backend, key);
    if (holding === undefined) return this.line(key).join(wish);
    const { clock } = this.context;
    const startedAt = clock.now();
    const endTurn = await holding.turnstile(key).enter(this.context, key, wish);
    return new ReenteredLock(holding.lock, key, clock.now() - startedAt, endTurn);
  }

  private refuseReentrancy(scope: Scope | undefined, key: string, wish: Wish, reentrant: boolean): void {
    const holding = scope?.holding(this.backend, key);
    if (holding === undefined) return;
    if (!reentrant) {
      throw new LockReentrancyError(
        key,
        `waiting for it would never end. To enter again, use run with reentrant: true`,
      );
    }
    if (wish.slots < holding.lock.slots) {
      throw new LockReentrancyError(
        key,
        'it is shared there, and what is shared cannot be made less so by entering again',
      );
    }
  }

  private refuseIfClosed(key: string): void {
    if (this.draining === undefined) return;
    const nested = !this.drained && currentLock() !== undefined;
    if (!nested) throw this.closed(key);
  }

  private line(key: string): LocalLine {
    let line = this.lines.get(key);
    if (line === undefined) {
      line = new LocalLine(this.context, this.defaults, key, () => this.lines.delete(key));
      this.lines.set(key, line);
    }
    return line;
  }

  private async runUnder<T>(lock: OwnedLock, body: (lock: Lock) => T | PromiseLike<T>): Promise<T> {
    const scope = new Scope(this.backend, lock, currentScope());
    try {
      lock.assertHeld();
      return await runInScope(scope, () => body(lock));
    } finally {
      await lock.release();
    }
  }

  private async letBodiesEnd(): Promise<void> {
    for (const line of this.lines.values()) line.dismissAll(() => this.closed(line.key));
    await this.upTo(this.defaults.drainMs, async () => {
      while (this.bodies.size > 0) await Promise.allSettled(this.bodies);
    });
  }

  private async end(): Promise<void> {
    await this.drain();
    this.drained = true;
    for (const line of this.lines.values()) {
      line.dismissAll(() => this.closed(line.key));
      line.evictAll();
    }
    await this.upTo(this.defaults.drainMs, async () => {
      while (this.context.leaving.size > 0) await Promise.allSettled(this.context.leaving);
    });
    await this.upTo(this.defaults.drainMs, async () => this.backend.close?.());
  }

  /** Waits, but not for ever: a shutdown must end even when the backend is dead. */
  private async upTo(limitMs: number, wait: () => Promise<unknown>): Promise<void> {
    const { clock, timers } = this.context;
    await new Promise<void>((resolve, reject) => {
      const timer = timers.set(clock.now() + limitMs, true, resolve);
      wait().then(
        () => {
          timers.cancel(timer);
          resolve();
        },
        (error: unknown) => {
          timers.cancel(timer);
          reject(error);
        },
      );
    });
  }

  private closed(key: string): LockBackendError {
    return new LockBackendError(key, 'its lock manager is closed, or about to be');
  }
}
