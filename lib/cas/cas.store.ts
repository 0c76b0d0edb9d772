/**
 * What a place must offer to keep locks in: one compare-and-swap per key. Everything else (lines, leases, who is in, whose
 * lease has ended) is `CasBackend`'s, the same for every store.
 *
 * What every store must hold:
 * - `read` and `write` are linearizable for each key: no replica that may lag behind.
 * - A call settles in bounded time. A call that rejects with a LockError is final. Any other rejection means "not known": a
 *   write may have happened, or may still happen within moments. (It is waited for for 250 ms where that matters.)
 * - Keys are 1 to 1024 bytes of well-formed UTF-8, any characters, and no two of them are the same to the store.
 */
export interface CasStore {
  /** For messages, events and metrics: `'postgres'`. */
  readonly name: string;

  /** What is kept under the key; null if nothing is. */
  read(key: string): Promise<Versioned | null>;

  /**
   * Puts `next` under the key, or with null deletes it, if what is there still has the version `expected`, or with null, if
   * nothing is there. In a conflict nothing changes, and the answer is what is there.
   */
  write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written>;

  /**
   * Calls `changed` when what is kept under the key may have changed; the function it returns ends that. A hint: it may
   * come late, twice, for nothing or not at all. A store without it is polled.
   */
  watch?(key: string, changed: () => void): () => void;

  /** Keys under which something is kept. */
  list?(prefix: string): AsyncIterable<string>;

  /** Ends what the store itself opened. */
  close?(): Promise<void>;
}

/**
 * Rises with every write of a key, over its deletion and over restarts, too: fencing tokens are made of it. Below 2^53.
 */
export type Version = bigint;

export interface Versioned {
  readonly version: Version;
  readonly value: Uint8Array;
}

/** `version` is that of what was written; after a deletion it is not used. */
export type Written =
  { readonly ok: true; readonly version: Version } | { readonly ok: false; readonly current: Versioned | null };
