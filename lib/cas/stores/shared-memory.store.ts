import { type CasStore, type Version, type Versioned, type Written } from '../cas.store.js';
import { Buckets, type Item, type Seen } from './shared-memory.buckets.js';
import { allocate, type Layout, layoutOf, type SharedMemorySize } from './shared-memory.layout.js';

export type { SharedMemorySize } from './shared-memory.layout.js';

export interface SharedMemoryStoreOptions {
  /** From `SharedMemoryStore.allocate()`, passed to every worker thread by `workerData` or `postMessage`. */
  readonly buffer: SharedArrayBuffer;
}

/** How long a thread sleeps that hears of no change. Whoever no longer wants to know costs no more than that. */
const LONGEST_SLEEP_MS = 1_000;

/**
 * Locks between the worker threads of one process. Each thread makes a store of its own on the same buffer.
 *
 * The claims of a worker that was terminated end as those of any dead process do, when their lease has been seen to.
 */
export class SharedMemoryStore implements CasStore {
  readonly name = 'shared-memory';
  private readonly layout: Layout;
  private readonly buckets: Buckets;
  private readonly watchers = new Map<number, Set<() => void>>();
  private readonly asleep = new Set<number>();

  /** @throws LockConfigError for a buffer that `allocate` has not made. */
  constructor({ buffer }: SharedMemoryStoreOptions) {
    this.layout = layoutOf(buffer);
    this.buckets = new Buckets(this.layout);
  }

  /** Memory for so many keys, once for all threads. The system gives it when it is used. @throws LockConfigError for a size that cannot be. */
  static allocate(size: SharedMemorySize = {}): SharedArrayBuffer {
    return allocate(size);
  }

  async read(key: string): Promise<Versioned | null> {
    const bytes = Buffer.from(key);
    return itemOf(this.buckets.see(this.buckets.headOf(bytes)), bytes) ?? null;
  }

  async write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    const bytes = Buffer.from(key);
    const index = this.buckets.headOf(bytes);
    for (;;) {
      const seen = this.buckets.see(index);
      const current = itemOf(seen, bytes);
      if ((current?.version ?? null) !== expected) return { ok: false, current: current ?? null };
      const version = this.buckets.versionAfter(seen.head);
      const others = seen.content.filter((item) => item !== current);
      const content = next === null ? others : [...others, { key: bytes, version, value: Buffer.from(next) }];
      // Whoever was faster may have written another key of the bucket.
      if (!this.buckets.swap(index, seen, content)) continue;
      Atomics.notify(this.layout.words, index);
      return { ok: true, version };
    }
  }

  watch(key: string, changed: () => void): () => void {
    const index = this.buckets.headOf(Buffer.from(key));
    const watcher = (): void => changed();
    const watchers = this.watchers.get(index) ?? new Set();
    this.watchers.set(index, watchers.add(watcher));
    this.sleep(index);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.watchers.get(index) === watchers) this.watchers.delete(index);
    };
  }

  async *list(prefix: string): AsyncIterable<string> {
    const { heads, buckets } = this.layout;
    for (let index = heads; index < heads + buckets; index += 1) {
      for (const { key } of this.buckets.see(index).content) {
        const name = key.toString();
        if (name.startsWith(prefix)) yield name;
      }
    }
  }

  /** One sleeper to a bucket, for all who watch it. Nothing can wake it but a change, or time. */
  private sleep(index: number): void {
    if (this.asleep.has(index) || !this.watchers.has(index)) return;
    const { words } = this.layout;
    const head = Atomics.load(words, index);
    const slept = Atomics.waitAsync(words, index, head, LONGEST_SLEEP_MS);
    this.asleep.add(index);
    void Promise.resolve(slept.value).then(() => {
      this.asleep.delete(index);
      const changed = Atomics.load(words, index) !== head;
      this.sleep(index);
      if (changed) for (const watcher of [...(this.watchers.get(index) ?? [])]) watcher();
    });
  }
}

function itemOf({ content }: Seen, key: Buffer): Item | undefined {
  return content.find((item) => item.key.equals(key));
}
