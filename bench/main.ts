// npm run bench [-- --quick] [--only ROW]: see run.mjs, which starts this.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { factsOf } from './report/machine.js';
import { write } from './report/results.js';
import { scenarios } from './scenarios/index.js';
import { type Effort, type Findings, type Scenario } from './scenarios/scenario.js';
import { Stage } from './stage/stage.js';

const EFFORTS: Readonly<Record<Effort['name'], Effort>> = {
  smallest: { name: 'smallest', repetitions: 2, forMs: 400, warmUpLocks: 300, masses: 0.01 },
  quick: { name: 'quick', repetitions: 2, forMs: 900, warmUpLocks: 500, masses: 0.3 },
  full: { name: 'full', repetitions: 7, forMs: 35_000, warmUpLocks: 3_000, masses: 1 },
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    // One scenario, to see that it runs: its figures mean nothing.
    smallest: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    out: { type: 'string', default: import.meta.dirname },
    'without-peers': { type: 'boolean', default: false },
  },
});
const effort = EFFORTS[values.smallest ? 'smallest' : values.quick ? 'quick' : 'full'];
const chosen = scenarios.filter(({ name }) => values.only?.includes(name) ?? true);
if (chosen.length === 0 || chosen.length < (values.only?.length ?? 0)) {
  console.error(`--only is one of ${scenarios.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const startedAt = performance.now();
const findings = new Map<string, Findings>();
{
  await using stage = new Stage();
  const facts = await factsOf(stage);
  for (const scenario of chosen) {
    try {
      findings.set(scenario.title, await measured(scenario, stage));
    } catch (error) {
      // What the others found out is worth keeping.
      console.error(`bench: ${scenario.name} failed:`, error);
      process.exitCode = 1;
    }
  }
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  write(values.out, { command, facts, findings });
}
for (const { row, what, wanted, measured, holds } of [...findings.values()].flatMap(({ verdicts }) => verdicts)) {
  console.log(`${holds ? 'holds' : 'FAILS'}  ${`${row}`.padStart(2)}  ${what}: ${measured}, wanted ${wanted}`);
}
console.log(`${join(values.out, 'RESULTS.md')} in ${seconds(startedAt)} s`);
// Whoever is compared may keep the process alive.
process.exit();

async function measured(scenario: Scenario, stage: Stage): Promise<Findings> {
  const from = performance.now();
  const say = (what: string): void => console.error(`bench: ${scenario.name}: ${what}`);
  say(scenario.title);
  const result = await scenario.measure({ stage, effort, peers: !values['without-peers'], say });
  say(`done in ${seconds(from)} s`);
  return result;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}
