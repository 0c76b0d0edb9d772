// npm run simulate -- --seeds 1000 [--seed 1] [--backend memory]: runs seed after seed, and stops at the first violation.
import { parseArgs } from 'node:util';
import { families } from './families/index.js';
import { type Family } from './families/family.js';
import { line, traceHash } from './history.js';
import { judge } from './oracles/index.js';
import { withoutStacks } from './quietly.js';
import { simulate } from './simulate.js';
import { Tally } from './tally.js';

const PROGRESS_EVERY_MS = 2_000;

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, seed: { type: 'string' }, backend: { type: 'string' } },
});
const first = count('seed', values.seed ?? '1');
const seeds = count('seeds', values.seeds ?? (values.seed === undefined ? '1000' : '1'));
const chosen = families.filter(({ name }) => values.backend === undefined || name === values.backend);
if (chosen.length === 0) fail(`--backend is one of ${families.map(({ name }) => name).join(', ')}`);

withoutStacks();
for (const family of chosen) if (!(await run(family))) process.exitCode = 1;

async function run(family: Family): Promise<boolean> {
  const tally = new Tally();
  const startedAt = performance.now();
  let shownAt = startedAt;
  const perSecond = (): string => ((1_000 * tally.seeds) / (performance.now() - startedAt)).toFixed(1);
  for (let seed = first; seed < first + seeds; seed += 1) {
    const history = await simulate(seed, family);
    tally.add(history);
    const violations = judge(history);
    if (violations.length > 0) {
      console.log(`\n${family.name}: seed ${seed} of trace ${traceHash(history)} breaks a promise`);
      for (const { oracle, text } of violations.slice(0, 10)) console.log(`  ${oracle}: ${text}`);
      if (seeds === 1) for (const entry of history) console.log(line(entry));
      console.log(`again: npm run simulate -- --backend ${family.name} --seed ${seed}`);
      return false;
    }
    if (performance.now() - shownAt < PROGRESS_EVERY_MS) continue;
    shownAt = performance.now();
    const { granted, faultsInAll } = tally;
    process.stderr.write(
      `\r${family.name}: seed ${seed}, ${perSecond()} seeds/s, ${granted} locks, ${faultsInAll} faults `,
    );
  }
  process.stderr.write('\r');
  console.log(`${family.name}: no violation at ${perSecond()} seeds/s\n${tally.summary()}`);
  if (seeds === 1) console.log(`trace ${traceHash(await simulate(first, family))}`);
  return true;
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) fail(`--${name} is a whole number from 1`);
  return value;
}

function fail(what: string): never {
  console.error(`${what}\nnpm run simulate -- [--seeds N] [--seed S] [--backend NAME]`);
  process.exit(1);
}
