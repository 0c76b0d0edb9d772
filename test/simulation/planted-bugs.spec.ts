import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { judge, oracles } from './oracles/index.js';
import { plantedBugs } from './planted/index.js';
import { type PlantedBug } from './planted/planted-bug.js';
import { withoutStacks } from './quietly.js';
import { simulate } from './simulate.js';

const MOST_SEEDS = 10_000;
/** How many seeds a bug must stay unnoticed for when nobody is there to notice it. */
const UNNOTICED = 250;
const LIMIT_MS = 600_000;

let withStacks: () => void;
beforeAll(() => void (withStacks = withoutStacks()));
afterAll(() => withStacks());

/** The first seed of so many at which one of these oracles notices it, and what it says. */
async function caught(
  { family, plant }: PlantedBug,
  judges: readonly string[],
  seeds = MOST_SEEDS,
): Promise<{ readonly seed: number; readonly text: string } | undefined> {
  const sees = oracles.filter(({ name }) => judges.includes(name));
  const takeAway = plant?.();
  try {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const [violation] = judge(await simulate(seed, family), sees);
      if (violation !== undefined) return { seed, text: `${violation.oracle}: ${violation.text}` };
    }
    return undefined;
  } finally {
    takeAway?.();
  }
}

const names = oracles.map(({ name }) => name);

describe('planted bugs', () => {
  const seeds: string[] = [];
  afterAll(() => console.log(`the seed at which each planted bug was caught\n${seeds.join('\n')}`));

  it('are many', () => {
    expect(plantedBugs.length).toBeGreaterThanOrEqual(12);
    expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length);
  });

  it.each(plantedBugs)(
    '$name: caught by $caughtBy',
    async (bug) => {
      const found = await caught(bug, [bug.caughtBy]);
      seeds.push(`${String(found?.seed).padStart(6)}  ${bug.name} (${bug.caughtBy})`);
      expect(found?.seed).toBeLessThanOrEqual(MOST_SEEDS);
    },
    LIMIT_MS,
  );
});

describe('without one oracle', () => {
  it.each(names)(
    '%s, a planted bug is never noticed',
    async (name) => {
      const bug = plantedBugs.find(({ caughtBy, byNoOther }) => caughtBy === name && byNoOther === true);
      expect(bug).toBeDefined();
      const others = names.filter((each) => each !== name);
      expect(await caught(bug!, others, UNNOTICED)).toBeUndefined();
    },
    LIMIT_MS,
  );
});
