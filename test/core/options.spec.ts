import { describe, expect, it } from '@jest/globals';
import {
  type AcquireOptions,
  LockConfigError,
  LockManager,
  type LockManagerOptions,
  type RunOptions,
} from '../../lib/core/index.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { type Claim } from '../../lib/core/backend.js';

/** A backend that counts what it is asked. */
class CountingBackend extends MemoryBackend {
  claims = 0;

  override claim(...request: Parameters<MemoryBackend['claim']>): Claim {
    this.claims += 1;
    return super.claim(...request);
  }
}

describe('bad input', () => {
  const backend = new CountingBackend();
  const locks = new LockManager({ backend });

  const badKeys: [string, unknown][] = [
    ['empty', ''],
    ['no string', 42],
    ['null', null],
    ['undefined', undefined],
    ['an object', {}],
    ['over 1,024 bytes', 'x'.repeat(1025)],
    ['over 1,024 bytes in UTF-8 only', '€'.repeat(342)],
    ['a lone surrogate', 'k\ud800'],
    ['an empty list', []],
    ['a list with a bad key', ['a', '']],
  ];
  it.each(badKeys)('a key that is %s is LockConfigError before the backend is asked', async (_name, key) => {
    await expect(locks.acquire(key as string)).rejects.toBeInstanceOf(LockConfigError);
    await expect(locks.run(key as string, () => 1)).rejects.toBeInstanceOf(LockConfigError);
    expect(backend.claims).toBe(0);
  });

  const badOptions: [string, unknown][] = [
    ['null instead of options', null],
    ['a mode instead of options', 'exclusive'],
    ['a wait instead of options', 42],
    ['negative waitMs', { waitMs: -1 }],
    ['NaN waitMs', { waitMs: NaN }],
    ['waitMs as text', { waitMs: '100' }],
    ['a lease under 100 ms', { leaseMs: 99 }],
    ['an endless lease', { leaseMs: Infinity }],
    ['a lease past the limit of timers', { leaseMs: 2 ** 31 }],
    ['limit 0', { mode: { limit: 0 } }],
    ['a fractional limit', { mode: { limit: 1.5 } }],
    ['an endless limit', { mode: { limit: Infinity } }],
    ['an unknown mode', { mode: 'exklusive' }],
    ['null as mode', { mode: null }],
    ['maxHoldMs 0', { maxHoldMs: 0 }],
    ['negative minHoldMs', { minHoldMs: -1 }],
    ['minHoldMs over maxHoldMs', { minHoldMs: 200, maxHoldMs: 100 }],
    ['endless minHoldMs', { minHoldMs: Infinity }],
    ['a signal that is none', { signal: {} }],
  ];
  it.each(badOptions)('%s is LockConfigError before the backend is asked', async (name, options) => {
    await expect(locks.run('a', options as RunOptions, () => 1)).rejects.toBeInstanceOf(LockConfigError);
    // `minHoldMs` is of `run` only: others do not know it.
    if (!name.includes('inHoldMs')) {
      await expect(locks.tryAcquire('a', options as AcquireOptions)).rejects.toBeInstanceOf(LockConfigError);
    }
    expect(backend.claims).toBe(0);
  });

  const badManagers: [string, object][] = [
    ['no backend', { backend: undefined }],
    ['localHandOffs over 1023', { localHandOffs: 1024 }],
    ['fractional localHandOffs', { localHandOffs: 0.5 }],
    ['maxWaiters 0', { maxWaiters: 0 }],
    ['a lease under 100 ms', { leaseMs: 1 }],
    ['negative drainMs', { drainMs: -1 }],
  ];
  it.each(badManagers)('a manager with %s is not built', (_name, options) => {
    expect(() => new LockManager({ backend, ...options } as LockManagerOptions)).toThrow(LockConfigError);
  });

  it('says what it got and what it wanted', async () => {
    await expect(locks.acquire('a', { leaseMs: 5 })).rejects.toThrow(
      'leaseMs must be from 100 to 2147483647 milliseconds, not 5',
    );
    await expect(locks.acquire('')).rejects.toThrow(/empty/);
  });

  it('a key of exactly 1,024 bytes is fine', async () => {
    const lock = await locks.acquire('€'.repeat(341) + 'x');
    expect(await lock.release()).toBe(true);
  });
});
