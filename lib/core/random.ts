import { randomBytes } from 'node:crypto';

/** Chance, as the core sees it. The only door to it, so that a simulation can hold it. */
export interface Random {
  /** 128 unguessable bits as text. */
  id(): string;
  /** From 0 up to, not including, 1. For jitter. */
  fraction(): number;
}

const ID_BYTES = 16;
/** Drawing for 256 ids at once costs a tenth of drawing for each. */
const POOL_BYTES = 256 * ID_BYTES;
let pool = Buffer.alloc(0);
let used = 0;

export const systemRandom: Random = {
  id() {
    if (used === pool.length) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    return pool.toString('base64url', used, (used += ID_BYTES));
  },
  fraction: () => Math.random(),
};
