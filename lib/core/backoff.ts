import { type Context } from './context.js';

const FIRST_MS = 50;
const LONGEST_MS = 1_000;

/** How long to wait after the n-th failure in a row, n from 1: doubling from 50 ms to 1 s, the upper half of it by chance. */
export function backoffMs(context: Context, failures: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return longest * (0.5 + context.random.fraction() / 2);
}
