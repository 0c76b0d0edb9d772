import { type Answer, isPending } from './answer.js';
import { LockConfigError, LockLostError } from './errors.js';

/**
 * A lock that is held, or was. With `await using` it is released at the end of the block.
 *
 * No lock that outlives a silent owner can promise more than this: until the lease ends, by a clock that may drift by
 * 1 %, nobody else is let in. A process may be stopped between any two statements, longer than the lease. So check
 * `held` before what must not be done twice, pass `signal` to whatever can be cancelled, and let the resource refuse a
 * smaller `fencingToken` than the largest it has seen.
 */
export interface Lock extends AsyncDisposable {
  /** The key; with several keys, all of them, for display. */
  readonly key: string;
  /** The keys, sorted. */
  readonly keys: readonly string[];
  /**
   * Rises from one holder of the key to the next, and fits a signed 64-bit column. With several keys there is no single
   * one: it throws LockConfigError, and `fencingTokens.get(key)` answers.
   */
  readonly fencingToken: bigint;
  readonly fencingTokens: ReadonlyMap<string, bigint>;
  /** Aborts the moment the lock is lost, with a LockLostError as its reason. A release does not abort it. */
  readonly signal: AbortSignal;
  /** Whether it is held now. Compares clocks when it is read: true even if the event loop has just been blocked. */
  readonly held: boolean;
  /** Throws LockLostError unless it is held now. */
  assertHeld(): void;
  /** How much of the lease is left if no renewal succeeds. 0 once it is not held. */
  readonly remainingMs: number;
  /** How long it was waited for. */
  readonly waitedMs: number;
  /**
   * Lets go; once, however often it is called. true: it was held until now. false: it had been lost before, or that is
   * not known. Never rejects: a release that fails is an event, and is tried again until the lease ends.
   */
  release(): Promise<boolean>;
}

/** What the core knows of a lock that its user need not. */
export interface OwnedLock extends Lock {
  /** Let go by its user, lost before or not. */
  readonly released: boolean;
  /** Why it was lost, if it was. */
  readonly loss: LockLostError | undefined;
  /** Calls `listener` once it is over: with the loss if it was lost, else on release. At once if it is over. Returns what ends that. */
  onEnd(listener: (loss: LockLostError | undefined) => void): () => void;
  /** How many holders may share the key with this one, itself included. */
  slotsOf(key: string): number;
  /** Resolves when the backend has been asked, in case it is in doubt. */
  confirmed(): Promise<void>;
  /** Lets go of what was never used: at once, whatever `minHoldMs` says. */
  discard(): Promise<boolean>;
}

/** What the locks of one key, of several keys and of a re-entered key have in common: a life that ends once. */
export abstract class BaseLock implements OwnedLock {
  abstract readonly keys: readonly string[];
  abstract readonly fencingTokens: ReadonlyMap<string, bigint>;
  abstract readonly waitedMs: number;
  abstract slotsOf(key: string): number;
  abstract confirmed(): Promise<void>;
  /** How much of its lease is left; 0 when in doubt. Makes a loss known that no timer has told yet. */
  protected abstract leaseLeftMs(): number;
  /** Called once, also when it is lost. Whether it was held until now. */
  protected abstract letGo(use: { readonly unused: boolean }): Answer<boolean>;

  private lostBy: LockLostError | undefined;
  private releasing: Promise<boolean> | undefined;
  private abort: AbortController | undefined;
  private endListeners: Set<(loss: LockLostError | undefined) => void> | undefined;

  get key(): string {
    return this.keys.length === 1 ? this.keys[0]! : this.keys.join(' + ');
  }

  get fencingToken(): bigint {
    if (this.keys.length > 1) {
      throw new LockConfigError(
        'a lock of several keys has several fencing tokens: ask fencingTokens.get(key)',
        this.key,
      );
    }
    return this.fencingTokens.get(this.keys[0]!)!;
  }

  get released(): boolean {
    return this.releasing !== undefined;
  }

  get loss(): LockLostError | undefined {
    return this.lostBy;
  }

  get held(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    return this.released || this.lostBy !== undefined ? 0 : this.leaseLeftMs();
  }

  get signal(): AbortSignal {
    this.lookForLoss();
    if (this.abort === undefined) {
      this.abort = new AbortController();
      if (this.lostBy !== undefined) this.abort.abort(this.lostBy);
    }
    return this.abort.signal;
  }

  assertHeld(): void {
    if (this.held) return;
    throw this.lostBy ?? new LockLostError(this.key, this.released ? 'released' : 'clock-suspect');
  }

  onEnd(listener: (loss: LockLostError | undefined) => void): () => void {
    if (this.released || this.lostBy !== undefined) {
      listener(this.lostBy);
      return () => undefined;
    }
    this.endListeners ??= new Set();
    this.endListeners.add(listener);
    return () => this.endListeners?.delete(listener);
  }

  release(): Promise<boolean> {
    return this.releaseOnce(false);
  }

  discard(): Promise<boolean> {
    return this.releaseOnce(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Also after a release that found the claim gone: then it was lost while it was held, unnoticed. */
  lose(loss: LockLostError): void {
    if (this.lostBy !== undefined) return;
    this.lostBy = loss;
    this.abort?.abort(loss);
    this.tellEnd();
  }

  private releaseOnce(unused: boolean): Promise<boolean> {
    if (this.releasing !== undefined) return this.releasing;
    this.lookForLoss();
    // Before anything follows from it: whoever is told may release again.
    let settle: (held: boolean) => void;
    this.releasing = new Promise((resolve) => (settle = resolve));
    this.tellEnd();
    const held = this.letGo({ unused });
    if (isPending(held)) void held.then(settle!);
    else settle!(held);
    return this.releasing;
  }

  private lookForLoss(): void {
    void this.remainingMs;
  }

  private tellEnd(): void {
    const { endListeners } = this;
    this.endListeners = undefined;
    endListeners?.forEach((listener) => listener(this.lostBy));
  }
}
