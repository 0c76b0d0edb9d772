import { type Claim, type ClaimRequest, type LockBackend, type Place } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { type Lock } from '../core/lock.js';
import { LockManager } from '../core/lock-manager.js';
import { type AcquireOptions } from '../core/options.js';
import { MemoryBackend } from '../memory/memory.backend.js';

/** A claim of the application under test. */
interface WatchedClaim {
  readonly claim: Claim;
  /** Has its holder look whether it still stands. */
  wake: (() => void) | undefined;
  /** Called when the holder watches it no longer: it knows. */
  readonly given: Set<() => void>;
}

/**
 * Locks in memory, for tests of an application: `LockModule.forRoot({ backend })`. They are real locks, which the test can
 * make busy, lose, let expire and look at.
 */
export class TestingBackend implements LockBackend {
  readonly name = 'testing';
  private readonly clock: Clock;
  private readonly memory: MemoryBackend;
  private outsider: LockManager;
  /** Those in line, by id. */
  private readonly claims = new Map<string, WatchedClaim>();

  /** `ports` are for simulations. */
  constructor({ clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.clock = clock;
    this.memory = new MemoryBackend({ clock });
    this.outsider = this.somebodyElse();
  }

  /**
   * Has somebody else hold the key, until the lock that this resolves to is released.
   *
   * @throws Error when the key is held already.
   */
  async busy(key: string, options: Pick<AcquireOptions, 'mode'> = {}): Promise<Lock> {
    const lock = await this.outsider.tryAcquire(key, options);
    if (lock === null) throw new Error(`${JSON.stringify(key)} is held already, so nobody else can be made to hold it`);
    return lock;
  }

  /**
   * Takes the key from whoever in the application holds it: their `signal` has aborted when this resolves, and the next in
   * line is in.
   *
   * @throws Error when nobody holds the key.
   */
  async lose(key: string): Promise<void> {
    const told: Promise<void>[] = [];
    for (const held of await this.heldClaims(key)) {
      await held.claim.withdraw();
      if (held.wake === undefined) continue;
      told.push(new Promise((resolve) => held.given.add(resolve)));
      held.wake();
    }
    await Promise.all(told);
  }

  /**
   * Has the lease of whoever in the application holds the key run out without their noticing, as if their process had been
   * stopped for long: the next in line is in, while they go on and believe that they hold it, until they next renew it, at a
   * third of the lease. What guards the resource then is the fencing token.
   *
   * @throws Error when nobody holds the key.
   */
  async expire(key: string): Promise<void> {
    for (const { claim } of await this.heldClaims(key)) await claim.withdraw();
  }

  /** The keys that somebody holds now, sorted. */
  async heldKeys(): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of this.memory.list()) keys.push(key);
    return keys.toSorted();
  }

  claim(request: ClaimRequest): Claim {
    const claim = this.memory.claim(request);
    const watched: WatchedClaim = { claim, wake: undefined, given: new Set() };
    return {
      attempt: (options) => {
        this.claims.set(request.id, watched);
        return claim.attempt(options);
      },
      renew: () => claim.renew(),
      withdraw: () => {
        this.claims.delete(request.id);
        return claim.withdraw();
      },
      watch: (wake) => {
        watched.wake = wake;
        const unwatch = claim.watch!(wake);
        return () => {
          unwatch();
          watched.wake = undefined;
          for (const tell of watched.given) tell();
          this.claims.delete(request.id);
        };
      },
    };
  }

  inspect(key: string): Promise<readonly Place[]> {
    return this.memory.inspect(key);
  }

  list(options?: { readonly prefix?: string }): AsyncIterable<string> {
    return this.memory.list(options);
  }

  evict(key: string, id: string): Promise<boolean> {
    return this.memory.evict(key, id);
  }

  /** Others that were made to hold a key hold it no longer. It goes on for the next application. */
  async close(): Promise<void> {
    const { outsider } = this;
    this.outsider = this.somebodyElse();
    await outsider.close();
  }

  private somebodyElse(): LockManager {
    return new LockManager({ backend: this.memory, drainMs: 0 }, { clock: this.clock });
  }

  private async heldClaims(key: string): Promise<WatchedClaim[]> {
    const places = await this.memory.inspect(key);
    const held = places.flatMap(({ id, held }) => (held ? (this.claims.get(id) ?? []) : []));
    if (held.length > 0) return held;
    const keys = await this.heldKeys();
    throw new Error(
      `nobody in the application holds ${JSON.stringify(key)}; held are: ${keys.map((each) => JSON.stringify(each)).join(', ') || 'no keys'}`,
    );
  }
}
