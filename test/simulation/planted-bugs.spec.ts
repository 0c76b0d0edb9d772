import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { judge, oracles } from './oracles/index.js';
import { plantedBugs } from './planted/index.js';
import { type PlantedBug } from './planted/planted-bug.js';
import { withoutStacks } from './quietly.js';
import { simulate } from './simulate.js';

const MOST_SEEDS = 10_000;

let withStacks: () => void;
beforeAll(() => void (withStacks = withoutStacks()));
afterAll(() => withStacks());

/** The first seed at which an oracle notices it, and all who notice anything up to then. */
async function caughtAt({ family, plant, caughtBy }: PlantedBug): Promise<{ seed: number; by: Set<string> }> {
  const takeAway = plant?.();
  const by = new Set<string>();
  try {
    for (let seed = 1; seed <= MOST_SEEDS; seed += 1) {
      for (const { oracle } of judge(await simulate(seed, family))) by.add(oracle);
      if (by.has(caughtBy)) return { seed, by };
    }
    return { seed: Infinity, by };
  } finally {
    takeAway?.();
  }
}

describe('planted bugs', () => {
  const caught: { name: string; seed: number; by: Set<string> }[] = [];

  it.each(plantedBugs)('$name', async (bug) => {
    const { seed, by } = await caughtAt(bug);
    caught.push({ name: bug.name, seed, by });
    expect(seed).toBeLessThanOrEqual(MOST_SEEDS);
  });

  it('are caught, and each oracle is the only one that catches some', () => {
    const table = caught.map(({ name, seed, by }) => `${String(seed).padStart(6)}  ${name}: ${[...by].join(', ')}`);
    console.log(`the seed at which each was caught, and by whom\n${table.join('\n')}`);
    const alone = new Set(caught.filter(({ by }) => by.size === 1).flatMap(({ by }) => [...by]));
    expect(oracles.map(({ name }) => name).filter((name) => !alone.has(name))).toEqual([]);
    expect(caught.length).toBeGreaterThanOrEqual(12);
  });
});
