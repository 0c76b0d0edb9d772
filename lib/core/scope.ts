import { AsyncLocalStorage } from 'node:async_hooks';
import { type LockBackend } from './backend.js';
import { type OwnedLock } from './lock.js';
import { Turnstile } from './turnstile.js';

/** A body that runs under a lock, and the scope that it was itself started in. */
export class Scope {
  private readonly turnstiles = new Map<string, Turnstile>();

  constructor(
    readonly backend: LockBackend,
    readonly lock: OwnedLock,
    private around: Scope | undefined,
  ) {
    void this.outer;
  }

  /** The nearest around it that still counts. Those that ended would be a chain that grows for ever in a job that starts itself. */
  get outer(): Scope | undefined {
    while (this.around?.lock.released) this.around = this.around.around;
    return this.around;
  }

  /**
   * The innermost scope of this call chain, itself or further out, that has acquired the key and not released it. Also if
   * it was lost since: of several keys, only one may have been.
   */
  holding(backend: LockBackend, key: string): Scope | undefined {
    for (const scope of this.chain()) {
      if (scope.backend === backend && !scope.lock.released && scope.lock.keys.includes(key)) return scope;
    }
    return undefined;
  }

  /** From the inside out. */
  *chain(): Iterable<Scope> {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.outer) yield scope;
  }

  /** Where those who re-enter the key take turns. */
  turnstile(key: string): Turnstile {
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
    if (!scope.lock.released) return scope.lock;
  }
  return undefined;
}
