import { LockConfigError } from '../../core/errors.js';
import { BLOCK_BITS, type Layout, WORD } from './shared-memory.layout.js';

/** Everything that is kept under the keys of one bucket. */
export type Content = readonly Item[];

export interface Item {
  readonly key: Buffer;
  readonly version: bigint;
  readonly value: Buffer;
}

/** A bucket as it was seen: its head word, and what that leads to. */
export interface Seen {
  readonly head: bigint;
  readonly content: Content;
}

const EMPTY: Content = [];
const BLOCK_MASK = (1n << BLOCK_BITS) - 1n;
/** The version, the length of the key and that of the value. */
const ITEM_HEADER = 16;

/**
 * A hash table in shared memory. What is in a bucket lies in a block that nobody changes; whoever wants something else to be in it writes
 * that into a free block and swaps the bucket's head word, by one compare-and-exchange. So nothing is ever seen half
 * written, and a thread that dies leaves nothing that others would wait for: at worst it takes a free block with it.
 *
 * Each swap counts the head up. A head that is the same is of the same content.
 */
export class Buckets {
  private readonly bytes: Buffer;

  constructor(private readonly layout: Layout) {
    this.bytes = Buffer.from(layout.words.buffer);
  }

  /** The index of the head word of the bucket that a key belongs to. */
  headOf(key: Uint8Array): number {
    let hash = 0x811c9dc5;
    for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
    return this.layout.heads + ((hash ^ (hash >>> 15)) & (this.layout.buckets - 1));
  }

  see(index: number): Seen {
    const { words } = this.layout;
    for (;;) {
      const head = Atomics.load(words, index);
      const content = this.unpack(Number(head & BLOCK_MASK));
      // The block may have become another's while it was read. An exchange, and not a load: no read before it is done after it.
      if (content !== undefined && Atomics.compareExchange(words, index, head, head) === head) return { head, content };
    }
  }

  /** What the head will be after the next swap, whatever is put there: it counts up. */
  versionAfter(head: bigint): bigint {
    return this.layout.firstVersion + (head >> BLOCK_BITS) + 1n;
  }

  /** false: somebody else was faster. @throws LockConfigError when it does not fit in a block. */
  swap(index: number, { head }: Seen, content: Content): boolean {
    const { words } = this.layout;
    const bytes = this.sizeOf(content);
    const block = content.length === 0 ? 0 : this.take();
    if (block !== 0) this.pack(block, content, bytes);
    const next = (((head >> BLOCK_BITS) + 1n) << BLOCK_BITS) | BigInt(block);
    const swapped = Atomics.compareExchange(words, index, head, next) === head;
    const unused = swapped ? Number(head & BLOCK_MASK) : block;
    if (unused !== 0) this.give(unused);
    return swapped;
  }

  private sizeOf(content: Content): number {
    const { blockBytes } = this.layout;
    const bytes = content.reduce((sum, { key, value }) => sum + ITEM_HEADER + key.length + value.length, WORD);
    if (bytes <= blockBytes) return bytes;
    throw new LockConfigError(
      `the lines of ${content.length} keys that share a bucket need ${bytes} bytes, and there are ${blockBytes}: ` +
        `SharedMemoryStore.allocate({ bytesPerBucket: ${2 ** Math.ceil(Math.log2(bytes))} })` +
        (content.length > 1 ? ', or more keys' : ''),
    );
  }

  private pack(block: number, content: Content, end: number): void {
    const { bytes } = this;
    let at = this.offset(block);
    bytes.writeUInt32LE(content.length, at);
    bytes.writeUInt32LE(end, at + 4);
    at += WORD;
    for (const { key, version, value } of content) {
      bytes.writeBigInt64LE(version, at);
      bytes.writeUInt32LE(key.length, at + 8);
      bytes.writeUInt32LE(value.length, at + 12);
      bytes.set(key, at + ITEM_HEADER);
      bytes.set(value, at + ITEM_HEADER + key.length);
      at += ITEM_HEADER + key.length + value.length;
    }
  }

  /** undefined for what cannot be, because it was written over meanwhile. */
  private unpack(block: number): Content | undefined {
    if (block === 0) return EMPTY;
    const start = this.offset(block);
    const count = this.bytes.readUInt32LE(start);
    const end = this.bytes.readUInt32LE(start + 4);
    if (end > this.layout.blockBytes) return undefined;
    const copy = Buffer.from(this.bytes.subarray(start, start + end));
    const content: Item[] = [];
    for (let at = WORD; content.length < count;) {
      if (at + ITEM_HEADER > end) return undefined;
      const keyEnd = at + ITEM_HEADER + copy.readUInt32LE(at + 8);
      const valueEnd = keyEnd + copy.readUInt32LE(at + 12);
      if (valueEnd > end) return undefined;
      const key = copy.subarray(at + ITEM_HEADER, keyEnd);
      content.push({ key, version: copy.readBigInt64LE(at), value: copy.subarray(keyEnd, valueEnd) });
      at = valueEnd;
    }
    return content;
  }

  private offset(block: number): number {
    return this.layout.data + (block - 1) * this.layout.blockBytes;
  }

  /** A free block. The free ones are a stack; its top counts up, too. */
  private take(): number {
    const { words, free, links } = this.layout;
    for (;;) {
      const top = Atomics.load(words, free);
      const block = Number(top & BLOCK_MASK);
      if (block === 0) {
        throw new LockConfigError('too many threads were terminated in the middle of a write: make a new buffer');
      }
      const below = Atomics.load(words, links + block);
      const next = (((top >> BLOCK_BITS) + 1n) << BLOCK_BITS) | below;
      if (Atomics.compareExchange(words, free, top, next) === top) return block;
    }
  }

  private give(block: number): void {
    const { words, free, links } = this.layout;
    for (;;) {
      const top = Atomics.load(words, free);
      Atomics.store(words, links + block, top & BLOCK_MASK);
      const next = (((top >> BLOCK_BITS) + 1n) << BLOCK_BITS) | BigInt(block);
      if (Atomics.compareExchange(words, free, top, next) === top) return;
    }
  }
}
