import { AsyncResource } from 'node:async_hooks';
import { type Answer, answerOf } from './answer.js';
import { asLockError } from './as-lock-error.js';
import { type LockBackend, type Place } from './backend.js';
import { type Clock, systemClock } from './clock.js';
import { type Context, shorten, track } from './context.js';
import { LockBackendError, LockConfigError, LockReentrancyError, LockUnavailableError, quote } from './errors.js';
import { type EventOrigin, LockEvents, type LockListener } from './events.js';
import { inTime, NoAnswerError, PATIENCE_MS } from './in-time.js';
import { type LineReport, report } from './line-report.js';
import { LocalLine } from './local-line.js';
import { type Lock, type OwnedLock } from './lock.js';
import { type AcquireOptions, type Defaults, type LockManagerOptions, type RunOptions, type Wish } from './options.js';
import { readDefaults, readKeys, readOnLost, readWish } from './options.js';
import { readOwner } from './owner.js';
import { type Random, systemRandom } from './random.js';
import { ReenteredLock } from './reentered-lock.js';
import { currentLock, currentScope, type Holding, runInScope, Scope } from './scope.js';
import { SeveralLocks } from './several-locks.js';
import { type Timer, Timers } from './timers.js';
import { traced } from './traces.js';

/** One key or several; several are one lock, had only when all are. */
export type Keys = string | readonly string[];

/**
 * Acquires, holds and releases locks on one backend. Usable without Nest; with Nest, `LockService` is this.
 *
 * @throws LockConfigError when an option is out of range.
 */
export class LockManager {
  private readonly defaults: Defaults;
  private readonly origin: EventOrigin;
  private readonly context: Context;
  private readonly lines = new Map<string, LocalLine>();
  /** One for all lines, of which there may be many. */
  private readonly emptied = (line: LocalLine): void => {
    if (this.lines.get(line.key) === line) this.lines.delete(line.key);
  };
  private readonly runs = new Set<Promise<unknown>>();
  private draining: Promise<void> | undefined;
  private drained = false;
  /** When the time of those who still hold or wait is over. */
  private deadline: Timer | undefined;
  private closing: Promise<void> | undefined;

  /** `ports` are for tests and simulations: the clock and the chance that everything of this manager depends on. */
  constructor(options: LockManagerOptions, ports: { readonly clock?: Clock; readonly random?: Random } = {}) {
    const { clock = systemClock, random = systemRandom } = ports;
    const { backend } = options ?? {};
    if (typeof backend?.claim !== 'function') {
      throw new LockConfigError('backend must be a LockBackend, such as new MemoryBackend()');
    }
    this.defaults = readDefaults(options);
    const scope = new AsyncResource('LockManager');
    const detached = <T>(work: () => T): T => scope.runInAsyncScope(work);
    const timers = new Timers(clock, detached);
    this.origin = { service: this.defaults.name, backend: backend.name };
    const events = new LockEvents(this.origin, detached);
    this.context = {
      backend,
      clock,
      random,
      timers,
      events,
      detached,
      leaving: new Set(),
      draining: false,
      closed: false,
    };
  }

  /** The innermost lock that this call chain runs under, if any: that of the body of a `run`, or of a `@Locked` method. */
  static current(): Lock | undefined {
    return currentLock();
  }

  /** What its events call it: the name of the lock service, `'default'` where it was given none. */
  get name(): string {
    return this.origin.service;
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
  acquire(keys: Keys, options: AcquireOptions = {}): Promise<Lock> {
    // Not async: of each that waits, that would keep a promise more, and half a kilobyte.
    return Promise.resolve(answerOf(() => this.acquireAll(readKeys(keys), readWish(options, this.defaults))));
  }

  /** Like `acquire`, but does not wait unless `waitMs` is given, and answers null for LockUnavailableError. */
  async tryAcquire(keys: Keys, options: AcquireOptions = {}): Promise<Lock | null> {
    try {
      return await this.acquireAll(readKeys(keys), readWish(options, { ...this.defaults, waitMs: 0 }));
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
    const { reentrant = false } = options;
    const read = readKeys(keys);
    const policy = { onLost: readOnLost(options), reentrant };
    const run = this.runLocked(read, wish, policy, body);
    this.runs.add(run);
    try {
      return await run;
    } finally {
      this.runs.delete(run);
    }
  }

  /**
   * Who holds the key and who waits for it, now. A report for people: out of date when it arrives.
   *
   * @throws LockBackendError when the backend could not be asked.
   */
  async inspect(key: string): Promise<LineReport> {
    readKeys(key);
    return report(key, await this.askForLine(key), this.lines.get(key));
  }

  /**
   * The keys that somebody holds or waits for now, with a prefix those that begin with it; in no order, and none twice
   * unless its line came or went meanwhile. A report for people. It reads whatever the backend has: not for a busy path.
   *
   * @throws LockBackendError when the backend could not be asked.
   */
  async *list(options: { readonly prefix?: string } = {}): AsyncGenerator<string, void> {
    const { prefix = '' } = options;
    if (typeof prefix !== 'string') throw new LockConfigError('prefix must be a string');
    try {
      yield* this.backend.list({ prefix });
    } catch (error) {
      throw asLockError(error, { key: undefined, backend: this.backend.name });
    }
  }

  /**
   * Takes a claim away, held or waiting, whosever it is, and lets the next one in: for a holder that is stuck and renews all the
   * same. `claim` is what `inspect` and events call it. false: it was no longer in line.
   *
   * A holder loses its lock: `signal` aborts with a LockLostError of the reason `'forced'`, at once where it can be told, else
   * by its next renewal. It may be in the middle of something: what guards the resource has to refuse its fencing token,
   * which is smaller than that of the next one. A waiter gets LockUnavailableError with the reason `'forced'`, and others of
   * its process who wait in memory behind it stand in line anew.
   *
   * @throws LockConfigError when several claims of the line are called so.
   * @throws LockBackendError when the backend could not be asked: then it may have been taken away all the same.
   */
  async forceRelease(key: string, { claim }: { readonly claim: string }): Promise<boolean> {
    readKeys(key);
    if (typeof claim !== 'string' || claim === '')
      throw new LockConfigError('claim must be what inspect calls it', key);
    const called = (await this.askForLine(key)).filter(({ id }) => shorten(id) === claim);
    const [place] = called;
    if (place === undefined) return false;
    if (called.length > 1) {
      throw new LockConfigError(`${called.length} claims in the line of ${quote(key)} are called ${quote(claim)}`, key);
    }
    const removed = await this.ask(key, () => this.backend.evict(key, place.id));
    const { events } = this.context;
    if (removed && events.wanted) events.emit({ type: 'forced', key, claim, owner: readOwner(place.owner) });
    return removed;
  }

  /** Calls `listener` with whatever happens to a lock of this manager; the function it returns ends that. */
  subscribe(listener: LockListener): () => void {
    return this.context.events.subscribe(listener);
  }

  /**
   * Takes no new callers, and resolves when every `run` has ended, or `drainMs` after it was first called. One that waits
   * for its lock may still get it, and its body may acquire what it needs to end; but one that would wait for ever, and
   * whoever waits in `acquire`, is sent away at once with LockBackendError. At `drainMs` so is everybody, and whoever still
   * holds a lock loses it. A body that awaits this itself is waited for in vain.
   */
  drain(): Promise<void> {
    this.draining ??= this.letBodiesEnd();
    return this.draining;
  }

  /**
   * Drains, takes from whoever still holds a lock what is left (their `signal` aborts), and closes the backend. Locks in
   * their `minHoldMs` are left to their lease. Settles within `drainMs` and ten seconds, whatever state the backend is in.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async runLocked<T>(
    keys: readonly string[],
    wish: Wish,
    { onLost, reentrant }: Required<Pick<RunOptions, 'onLost' | 'reentrant'>>,
    body: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T> {
    const awaited = wish.waitMs !== Infinity;
    const lock = await this.acquireAll(keys, { ...wish, awaited }, { reentrant });
    const value = await traced('hold', this.origin, { keys, wish, lock }, () => this.runWith(lock, body));
    if (lock.loss !== undefined && onLost === 'throw') throw lock.loss;
    return value;
  }

  private async runWith<T>(lock: OwnedLock, body: (lock: Lock) => T | PromiseLike<T>): Promise<T> {
    const scope = new Scope(this.backend, lock, currentScope());
    try {
      await this.believed(lock);
      return await runInScope(scope, () => body(lock));
    } finally {
      await lock.release();
      scope.end();
    }
  }

  /** A wall clock that jumped since the last answer makes a lock suspect; that alone must not fail what has not begun. */
  private async believed(lock: OwnedLock): Promise<void> {
    if (!lock.held) await lock.confirmed();
    lock.assertHeld();
  }

  private acquireAll(
    keys: readonly string[],
    wish: Wish,
    { reentrant = false }: { readonly reentrant?: boolean } = {},
  ): Answer<OwnedLock> {
    return traced('acquire', this.origin, { keys, wish }, () => this.acquireChecked(keys, wish, reentrant));
  }

  private acquireChecked(keys: readonly string[], chosen: Wish, reentrant: boolean): Answer<OwnedLock> {
    const scope = currentScope();
    const nested = this.isNested(scope);
    if (this.draining !== undefined && !nested) throw this.closed(keys[0]!);
    const wish = nested ? { ...chosen, awaited: true } : chosen;
    for (const key of keys) this.refuseReentrancy(scope, key, wish, reentrant);
    return keys.length === 1 ? this.acquireOne(scope, keys[0]!, wish) : this.acquireInTurn(scope, keys, wish);
  }

  private async acquireInTurn(scope: Scope | undefined, keys: readonly string[], wish: Wish): Promise<OwnedLock> {
    const { clock } = this.context;
    const startedAt = clock.now();
    const locks: OwnedLock[] = [];
    // Ends the waiting for the next when one that was had is lost.
    const stop = new AbortController();
    const ends = [forward(wish.signal, stop)];
    try {
      for (const key of keys) {
        const waitMs = Math.max(0, wish.waitMs - (clock.now() - startedAt));
        const lock = await this.acquireOne(scope, key, { ...wish, waitMs, signal: stop.signal });
        locks.push(lock);
        ends.push(lock.onEnd((loss) => stop.abort(loss)));
      }
      const all = new SeveralLocks(locks);
      await this.believed(all);
      return all;
    } catch (error) {
      for (const lock of locks.toReversed()) track(this.context, lock.discard());
      if (!(error instanceof LockUnavailableError)) throw error;
      throw new LockUnavailableError(error.key!, { waitedMs: clock.now() - startedAt, ahead: error.ahead });
    } finally {
      for (const end of ends) end();
    }
  }

  private acquireOne(scope: Scope | undefined, key: string, wish: Wish): Answer<OwnedLock> {
    wish.signal?.throwIfAborted();
    if (this.drained || (this.draining !== undefined && !wish.awaited)) throw this.closed(key);
    const holding = scope?.holding(this.backend, key);
    return holding === undefined ? this.line(key).join(wish) : this.reenter(holding, key, wish);
  }

  private async reenter({ lock, turnstile }: Holding, key: string, wish: Wish): Promise<OwnedLock> {
    const { clock } = this.context;
    const startedAt = clock.now();
    const endTurn = await turnstile.enter(this.context, key, wish);
    return new ReenteredLock(lock, key, clock.now() - startedAt, endTurn);
  }

  private refuseReentrancy(scope: Scope | undefined, key: string, wish: Wish, reentrant: boolean): void {
    const holding = scope?.holding(this.backend, key);
    if (holding === undefined) return;
    if (holding.lock.loss !== undefined) throw holding.lock.loss;
    if (!reentrant) {
      throw new LockReentrancyError(
        key,
        `waiting for it would never end. To enter again, use run with reentrant: true`,
      );
    }
    if (wish.slots < holding.lock.slotsOf(key)) {
      throw new LockReentrancyError(
        key,
        'it is shared there, and what is shared cannot be made less so by entering again',
      );
    }
  }

  /** Whether a call chain runs under a lock of this backend. */
  private isNested(scope: Scope | undefined): boolean {
    for (const { backend, lock } of scope?.chain() ?? [])
      if (backend === this.backend && lock !== undefined) return true;
    return false;
  }

  private line(key: string): LocalLine {
    let line = this.lines.get(key);
    if (line === undefined) {
      line = new LocalLine(this.context, this.defaults, key, this.emptied);
      this.lines.set(key, line);
    }
    return line;
  }

  private askForLine(key: string): Promise<readonly Place[]> {
    return this.ask(key, () => this.backend.inspect(key));
  }

  private async ask<T>(key: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw asLockError(error, { key, backend: this.backend.name });
    }
  }

  private async letBodiesEnd(): Promise<void> {
    const { clock, timers } = this.context;
    const { drainMs } = this.defaults;
    this.deadline = timers.set(clock.now() + drainMs, false, () => this.takeAll());
    this.context.draining = true;
    for (const line of this.lines.values()) {
      line.dismissAll(unawaited, () => this.closed(line.key));
      line.yieldRetained();
    }
    await this.upTo(drainMs, async () => {
      while (this.runs.size > 0) await Promise.allSettled(this.runs);
    });
  }

  private takeAll(): void {
    this.drained = true;
    for (const line of this.lines.values()) {
      line.dismissAll(everybody, () => this.closed(line.key));
      line.evictAll();
    }
  }

  private async end(): Promise<void> {
    await this.drain();
    this.context.timers.cancel(this.deadline);
    this.takeAll();
    const patienceMs = Math.min(this.defaults.drainMs, PATIENCE_MS);
    await this.upTo(patienceMs, async () => {
      while (this.context.leaving.size > 0) await Promise.allSettled(this.context.leaving);
    });
    this.context.closed = true;
    await this.upTo(patienceMs, async () => this.backend.close?.());
    this.context.timers.letProcessEnd();
  }

  /** Waits, but not for ever: a shutdown must end even when the backend is dead. */
  private async upTo(limitMs: number, wait: () => Promise<unknown>): Promise<void> {
    try {
      await inTime(this.context, limitMs, wait);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
    }
  }

  private closed(key: string): LockBackendError {
    return new LockBackendError(key, 'its lock manager is closed, or about to be');
  }
}

const everybody = (): boolean => true;
const unawaited = ({ wish }: { readonly wish: Wish }): boolean => !wish.awaited;

/** AbortSignal.any would do, but on Node 20 a signal that lives long keeps something of every signal made from it. */
function forward(signal: AbortSignal | undefined, to: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  const listener = (): void => to.abort(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
