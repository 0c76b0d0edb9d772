import { systemClock } from '../core/clock.js';
import { LockConfigError } from '../core/errors.js';
import { type Lock } from '../core/lock.js';
import { type Keys, LockManager } from '../core/lock-manager.js';
import { type AcquireOptions, type RunOptions } from '../core/options.js';
import { MemoryBackend } from '../memory/memory.backend.js';
import { LockService } from '../nest/lock.service.js';

/**
 * A lock service that takes no locks: everybody gets every key at once, as if alone, with a lock of their own to ask.
 * For unit tests in which locks are in the way, and only where it is asked for by this name:
 * `overrideProvider(LockService).useValue(new UnlockedLockService())`, or `giveLocks(new Orders(), new UnlockedLockService())`.
 * No option, no environment variable and no other module turns a lock service into this.
 *
 * Keys and options are checked as ever, fencing tokens rise, `LockService.current()` answers. Nothing is ever busy, lost by
 * others, or seen by `inspect`, and nothing is an event.
 *
 * @throws LockConfigError when NODE_ENV is `production`.
 */
export class UnlockedLockService extends LockService {
  constructor() {
    if (process.env['NODE_ENV'] === 'production') {
      throw new LockConfigError(
        'UnlockedLockService takes no locks, and is for tests: with NODE_ENV=production it is refused',
      );
    }
    super({ backend: new MemoryBackend() });
  }

  override async acquire(keys: Keys, options?: AcquireOptions): Promise<Lock> {
    return alone().acquire(keys, options);
  }

  override async tryAcquire(keys: Keys, options?: AcquireOptions): Promise<Lock | null> {
    return alone().tryAcquire(keys, options);
  }

  override async run<T>(keys: Keys, body: (lock: Lock) => T | PromiseLike<T>): Promise<T>;
  override async run<T>(keys: Keys, options: RunOptions, body: (lock: Lock) => T | PromiseLike<T>): Promise<T>;
  override async run<T>(
    keys: Keys,
    ...rest: [(lock: Lock) => T | PromiseLike<T>] | [RunOptions, (lock: Lock) => T | PromiseLike<T>]
  ): Promise<T> {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    return alone().run(keys, options, body);
  }
}

/** A manager that shares its backend with nobody. */
function alone(): LockManager {
  return new LockManager({ backend: new MemoryBackend({ clock }) });
}

let lastMoment = 0;
/** Rises by two microseconds at least, of which rounding may take one: no two fencing tokens are the same. */
const clock = {
  ...systemClock,
  wall: () => (lastMoment = Math.max(lastMoment + 0.002, Date.now())),
};
