import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Family } from './families/family.js';
import { traceHash } from './history.js';
import { judge } from './oracles/index.js';
import { withoutStacks } from './quietly.js';
import { simulate } from './simulate.js';
import { Tally } from './tally.js';

const FIXED = 3_000;
const FRESH = 500;
/** How many seeds to a test: an unhandled rejection names the test, and not the seed. */
const PART = 500;
/** New ones every time: what they find is named with the seed. */
const FRESH_FROM = 1_000_000 + Math.floor(Math.random() * 1_000_000_000);
/** Seeds that broke a promise when they were fresh: by a mistake of the product, or of the simulation. */
const FOUND: Readonly<Record<string, readonly number[]>> = {
  redis: [10_013_635, 30_069_364, 50_005_595],
  zookeeper: [40_013_125],
};

/** The simulation of one family, as CI runs it. */
export function describeSimulation(family: Family): void {
  describe(`simulation of ${family.name}`, () => {
    let withStacks: () => void;
    beforeAll(() => void (withStacks = withoutStacks()));
    afterAll(() => withStacks());
    runsSeeds(family);
  });
}

function runsSeeds(family: Family): void {
  const total = new Tally();
  const parts = [...partsOf(1, FIXED), ...partsOf(FRESH_FROM, FRESH)];

  it.each(parts)('no promise is broken: seeds $first to $last', async ({ first, last }) => {
    for (let seed = first; seed <= last; seed += 1) await keepsItsPromises(seed, family, total);
  });

  it('no promise is broken any more: seeds that broke one once', async () => {
    for (const seed of FOUND[family.name] ?? []) await keepsItsPromises(seed, family, new Tally());
  });

  it('is busy, and everything that can befall befell', () => {
    console.log(`${family.name}: ${total.summary()}`);
    expect(total.seeds).toBe(FIXED + FRESH);
    expect(total.granted).toBeGreaterThan(total.seeds);
    expect(total.waitedFor).toBeGreaterThan(total.seeds / 2);
    for (const what of ['refused', 'lost', 'writes', 'writesRefused'] as const) {
      expect({ what, often: total[what] > total.seeds / 100 }).toEqual({ what, often: true });
    }
    const never = family.faults.filter((fault) => !total.faults.has(fault));
    expect(never).toEqual([]);
  });

  it('is the same every time, to the step', async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const hash = traceHash(await simulate(seed, family));
      expect(traceHash(await simulate(seed, family))).toBe(hash);
      hashes.add(hash);
    }
    expect(hashes.size).toBe(20);
  });
}

async function keepsItsPromises(seed: number, family: Family, total: Tally): Promise<void> {
  const history = await simulate(seed, family);
  total.add(history);
  const [violation, ...more] = judge(history);
  if (violation === undefined) return;
  const { oracle, text } = violation;
  const again = `again: npm run simulate -- --backend ${family.name} --seed ${seed}`;
  throw new Error(`seed ${seed}, ${oracle}: ${text} (and ${more.length} more)\n${again}`);
}

function partsOf(from: number, seeds: number): { first: number; last: number }[] {
  return Array.from({ length: Math.ceil(seeds / PART) }, (_, part) => {
    const first = from + part * PART;
    return { first, last: Math.min(first + PART, from + seeds) - 1 };
  });
}
