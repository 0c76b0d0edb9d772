import { AsyncLocalStorage } from 'node:async_hooks';
import { type LockBackend } from './backend.js';
import { type OwnedLock } from './lock.js';
import { Turnstile } from './turnstile.js';

/** A lock that a call chain has, and where those of it who re-enter a key of it take turns. */
export interface Holding {
  readonly lock: OwnedLock;
  readonly turnstile: Turnstile;
}

/** A body that runs under a lock, and the scope that it was itself started in. */
export class Scope {
  private readonly turnstiles = new Map<string, Turnstile>();

  constructor(
    readonly backend: LockBackend,
    private own: OwnedLock | undefined,
    private around: Scope | undefined,
  ) {
    void this.outer;
  }

  /** What the body runs under; undefined once that has been released. */
  get lock(): OwnedLock | undefined {
    return this.own?.released ? undefined : this.own;
  }

  /** The nearest around it that still counts. Those that ended would be a chain that grows for ever in a job that starts itself. */
  get outer(): Scope | undefined {
    while (this.around !== undefined && this.around.lock === undefined) this.around = this.around.around;
    return this.around;
  }

  /**
   * Lets go of the lock. On Node 20 a promise keeps the scope that it was made in, so those that a body started and left
   * behind would keep each other's locks: 3 kB for every run of a job that starts itself.
   */
  end(): void {
    this.own = undefined;
  }

  /**
   * The innermost lock of this call chain, itself or further out, that has acquired the key and was not released. Also if
   * it was lost since: of several keys, only one may have been.
   */
  holding(backend: LockBackend, key: string): Holding | undefined {
    for (const scope of this.chain()) {
      const { lock } = scope;
      if (scope.backend === backend && lock?.keys.includes(key)) return { lock, turnstile: scope.turnstile(key) };
    }
    return undefined;
  }

  /** From the inside out. */
  *chain(): Iterable<Scope> {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.outer) yield scope;
  }

  private turnstile(key: string): Turnstile {
    let turnstile = this.turnstiles.get(key);
    if (turnstile === undefined) this.turnstiles.set(key, (turnstile = new Turnstile()));
    return turnstile;
  }
}

/**
 * Which scope a piece of code runs in follows its call chain, through every await. Only ever entered by `run`: with
 * `enterWith` a lock would leak into whatever the caller does next.
 */
const scopes = new AsyncLocalStorage<Scope>();

export function currentScope(): Scope | undefined {
  return scopes.getStore();
}

export function runInScope<T>(scope: Scope, body: () => T): T {
  return scopes.run(scope, body);
}

/** The innermost lock of this call chain that has not been released. */
export function currentLock(): OwnedLock | undefined {
  for (const scope of scopes.getStore()?.chain() ?? []) {
    if (scope.lock !== undefined) return scope.lock;
  }
  return undefined;
}
