import { describe, expect, it } from '@jest/globals';
import { chaos } from './chaos/chaos.js';
import { Tally } from './chaos/nature.js';

const FROM = Number(process.env.CHAOS_FROM ?? 1);
const ENOUGH = 400;
const SEEDS = Number(process.env.CHAOS_SEEDS ?? ENOUGH);
/** How many seeds to a test: an unhandled rejection names the test, and not the seed. */
const PART = 50;

const parts = Array.from({ length: Math.ceil(SEEDS / PART) }, (_, part) => {
  const first = FROM + part * PART;
  return { first, last: Math.min(first + PART, FROM + SEEDS) - 1 };
});

describe('chaos', () => {
  const total = new Tally();

  it.each(parts)('does no harm: seeds $first to $last', async ({ first, last }) => {
    for (let seed = first; seed <= last; seed += 1) {
      const { problems, tally } = await chaos(seed);
      total.add(tally);
      const found = problems.slice(0, 5).join('\n');
      if (found !== '') throw new Error(`seed ${seed}, again with CHAOS_FROM=${seed} CHAOS_SEEDS=1\n${found}`);
    }
  });

  if (SEEDS >= ENOUGH) {
    it('is chaos: of all that can happen, everything did', () => {
      const never = Object.entries(total).filter(([, times]) => times === 0);
      expect(never).toEqual([]);
    });
  }

  it('is the same every time', async () => {
    expect(await chaos(FROM)).toEqual(await chaos(FROM));
  });
});
