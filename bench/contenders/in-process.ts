import { LockManager } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { peer } from './peers.js';

/** A section under a lock that only this process knows, as the package wants it written. */
export interface InProcess {
  readonly name: string;
  readonly kind: 'ours' | 'by hand' | 'peer';
  section(key: string): Promise<unknown>;
}

type MutexClass = new () => { acquire(): Promise<() => void>; runExclusive(body: () => unknown): Promise<unknown> };
type AsyncLockClass = new () => { acquire(key: string, body: () => Promise<unknown>): Promise<unknown> };

const nothing = async (): Promise<void> => undefined;

/** The floor: a key's callers wait for the one before them, and that is all. */
export function bareQueue(): InProcess {
  const tails = new Map<string, Promise<void>>();
  return {
    name: 'a bare queue of promises',
    kind: 'by hand',
    async section(key) {
      const before = tails.get(key);
      let leave!: () => void;
      const own = new Promise<void>((resolve) => (leave = resolve));
      tails.set(key, own);
      if (before !== undefined) await before;
      try {
        await nothing();
      } finally {
        if (tails.get(key) === own) tails.delete(key);
        leave();
      }
    },
  };
}

export function ours(): InProcess[] {
  const manager = new LockManager({ backend: new MemoryBackend() });
  return [
    {
      name: 'nestjs-locked, acquire and release',
      kind: 'ours',
      async section(key) {
        const lock = await manager.acquire(key);
        try {
          await nothing();
        } finally {
          await lock.release();
        }
      },
    },
    { name: 'nestjs-locked, run', kind: 'ours', section: (key) => manager.run(key, nothing) },
  ];
}

export function peers(): InProcess[] {
  const { Mutex } = peer<{ readonly Mutex: MutexClass }>('async-mutex');
  const asyncLock = new (peer<AsyncLockClass>('async-lock'))();
  // It knows no keys: whoever uses it keeps one for each, and when to forget it is their own question.
  const mutexes = new Map<string, InstanceType<MutexClass>>();
  return [
    {
      name: 'async-mutex, one for each key',
      kind: 'peer',
      section(key) {
        let mutex = mutexes.get(key);
        if (mutex === undefined) mutexes.set(key, (mutex = new Mutex()));
        return mutex.runExclusive(nothing);
      },
    },
    { name: 'async-lock', kind: 'peer', section: (key) => asyncLock.acquire(key, nothing) },
  ];
}
