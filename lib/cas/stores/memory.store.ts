import { type CasStore, type Version, type Versioned, type Written } from '../cas.store.js';

/** A store within one process: for tests, and as the shortest example of one. */
export class MemoryStore implements CasStore {
  readonly name = 'memory-store';
  private readonly values = new Map<string, Versioned>();
  private readonly watchers = new Map<string, Set<() => void>>();
  private lastVersion: Version = BigInt(Date.now()) * 1_000n;

  async read(key: string): Promise<Versioned | null> {
    return this.values.get(key) ?? null;
  }

  async write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    const current = this.values.get(key) ?? null;
    if ((current?.version ?? null) !== expected) return { ok: false, current };
    const version = (this.lastVersion += 1n);
    if (next === null) this.values.delete(key);
    else this.values.set(key, { version, value: next });
    for (const changed of this.watchers.get(key) ?? []) queueMicrotask(changed);
    return { ok: true, version };
  }

  watch(key: string, changed: () => void): () => void {
    const watchers = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, watchers.add(changed));
    return () => {
      watchers.delete(changed);
      if (watchers.size === 0 && this.watchers.get(key) === watchers) this.watchers.delete(key);
    };
  }

  async *list(prefix: string): AsyncIterable<string> {
    for (const key of [...this.values.keys()]) if (key.startsWith(prefix)) yield key;
  }
}
