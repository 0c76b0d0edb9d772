import { LockConfigError } from '../../core/errors.js';

export interface SharedMemorySize {
  /** How many keys have a line at once. More are served, and crowd. 1 024 where it is not given, at most 30 000. */
  readonly keys?: number;
  /** How much room the lines of all keys have that share a bucket, in bytes: about 100 for each claim, and the key. 8 192 where it is not given. */
  readonly bytesPerBucket?: number;
}

/** What is in the buffer, in words of 8 bytes: this header, the heads of the buckets, the links of the blocks, the blocks. */
const HEADER_WORDS = 6;
const MAGIC = 0x6e6c_6f63_6b31n;
export const WORD = 8;
/** A block's number takes so many bits of a word; what is left of it counts. */
export const BLOCK_BITS = 16n;
const MOST_KEYS = 30_000;
/** Blocks for those who write just now, and for what a worker that was terminated in the middle of that took with it. */
const SPARE_BLOCKS = 1_024;

enum Header {
  magic,
  buckets,
  blocks,
  blockBytes,
  firstVersion,
  freeBlocks,
}

/** Where everything is. */
export interface Layout {
  readonly buckets: number;
  readonly blocks: number;
  readonly blockBytes: number;
  /** What versions count from. */
  readonly firstVersion: bigint;
  readonly words: BigInt64Array;
  /** The index of the word that has the first free block. */
  readonly free: number;
  readonly heads: number;
  readonly links: number;
  /** The offset of the first block, in bytes. */
  readonly data: number;
}

export function allocate({ keys = 1_024, bytesPerBucket = 8_192 }: SharedMemorySize): SharedArrayBuffer {
  if (!Number.isInteger(keys) || keys < 1 || keys > MOST_KEYS) {
    throw new LockConfigError(`keys must be a whole number from 1 to ${MOST_KEYS}, not ${String(keys)}`);
  }
  if (!Number.isInteger(bytesPerBucket) || bytesPerBucket < 256 || bytesPerBucket > 2 ** 20) {
    throw new LockConfigError(`bytesPerBucket must be a whole number from 256 to 2^20, not ${String(bytesPerBucket)}`);
  }
  const buckets = 2 ** Math.ceil(Math.log2(keys));
  // One for each bucket, so that whoever wants to leave a line never lacks one.
  const blocks = buckets + SPARE_BLOCKS;
  const blockBytes = Math.ceil(bytesPerBucket / WORD) * WORD;
  const layout = placed(buckets, blocks, blockBytes);
  const words = new BigInt64Array(new SharedArrayBuffer(layout.data + blocks * blockBytes));
  words[Header.buckets] = BigInt(buckets);
  words[Header.blocks] = BigInt(blocks);
  words[Header.blockBytes] = BigInt(blockBytes);
  // Versions rise over restarts of the process, too.
  words[Header.firstVersion] = BigInt(Date.now()) * 1_000n;
  // Blocks are counted from 1; 0 is none. Each leads to the next, and the last to none.
  for (let block = 1; block < blocks; block += 1) words[layout.links + block] = BigInt(block + 1);
  words[Header.freeBlocks] = 1n;
  Atomics.store(words, Header.magic, MAGIC);
  return words.buffer as SharedArrayBuffer;
}

/** @throws LockConfigError for a buffer that `allocate` has not made. */
export function layoutOf(buffer: SharedArrayBuffer): Layout {
  const isShared = Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
  const known = isShared && buffer.byteLength >= HEADER_WORDS * WORD && buffer.byteLength % WORD === 0;
  const words = known ? new BigInt64Array(buffer) : undefined;
  if (words === undefined || words[Header.magic] !== MAGIC) {
    throw new LockConfigError(
      'buffer must be what SharedMemoryStore.allocate() made, or came from another thread as it is',
    );
  }
  const [buckets, blocks, blockBytes] = [Header.buckets, Header.blocks, Header.blockBytes].map((at) =>
    Number(words[at]),
  );
  const layout = placed(buckets!, blocks!, blockBytes!);
  return { ...layout, firstVersion: words[Header.firstVersion]!, words };
}

function placed(buckets: number, blocks: number, blockBytes: number): Omit<Layout, 'words' | 'firstVersion'> {
  const heads = HEADER_WORDS;
  const links = heads + buckets;
  const data = (links + blocks + 1) * WORD;
  return { buckets, blocks, blockBytes, free: Header.freeBlocks, heads, links, data };
}
