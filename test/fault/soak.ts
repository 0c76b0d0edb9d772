// npm run soak -- --minutes 60 --processes 8 [--backend redis] [--seed 1]: all faults at random, for as long as one likes.
import { parseArgs } from 'node:util';
import { type Progress, runFaults } from './run.js';
import { type SiteName, SITES } from './sites/index.js';
import { verdictOn } from './verdict.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    processes: { type: 'string', default: '8' },
    backend: { type: 'string', default: Object.keys(SITES).join(',') },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const minutes = Number(values.minutes);
const processes = Number(values.processes);
const seed = Number(values.seed);
const names = values.backend.split(',');
const unknown = names.filter((name) => !(name in SITES));
if (!(minutes > 0 && processes > 0) || Number.isNaN(seed) || unknown.length > 0) {
  console.error(
    `usage: npm run soak -- --minutes n --processes n [--backend ${Object.keys(SITES).join(',')}] [--seed n]`,
  );
  process.exit(2);
}

/** Histories are read and judged as often, so that they need not fit into memory all at once. */
const CHAPTER_MINUTES = 5;

let broken = 0;
for (const name of names as SiteName[]) broken += await soak(name);
process.exitCode = broken > 0 ? 1 : 0;

/** Resolves to how many violations there were. */
async function soak(name: SiteName): Promise<number> {
  const total = { grants: 0, contended: 0, losses: 0, overlaps: 0, violations: 0, writes: 0, refused: 0, seconds: 0 };
  const faults: Record<string, number> = {};
  const until = performance.now() + minutes * 60_000;
  for (let chapter = 0; until - performance.now() > 1_000; chapter += 1) {
    const site = await SITES[name]();
    try {
      const forMs = Math.min(until - performance.now(), CHAPTER_MINUTES * 60_000);
      const startedAt = performance.now();
      const onProgress = (progress: Progress): void => {
        const minute = ((total.seconds + (performance.now() - startedAt) / 1_000) / 60).toFixed(1);
        const injected = sum(faults) + sum(progress.faults);
        const writes = total.writes + progress.writes;
        console.log(`${name}: minute ${minute}, ${injected} faults, ${writes} writes, ${total.violations} violations`);
      };
      const run = await runFaults({ site, processes, seed: seed + chapter * 1_000, rounds: 0, forMs, onProgress });
      const verdict = verdictOn(run, site);
      for (const [fault, times] of Object.entries(run.faults)) faults[fault] = (faults[fault] ?? 0) + times;
      total.grants += verdict.grants;
      total.contended += verdict.contended;
      total.losses += verdict.losses;
      total.overlaps += verdict.overlaps;
      total.violations += verdict.violations.length;
      total.writes += run.writes;
      total.refused += run.refused;
      total.seconds += run.seconds;
      for (const violation of verdict.violations) console.log(`VIOLATION (seed ${seed}, ${run.folder}): ${violation}`);
      if (verdict.violations.length === 0) run.remove();
    } finally {
      await site.stop();
    }
  }
  console.log(`\n${name}, seed ${seed}, ${processes} processes, ${(total.seconds / 60).toFixed(1)} minutes:`);
  for (const [fault, times] of Object.entries(faults).toSorted())
    console.log(`  ${String(times).padStart(6)}  ${fault}`);
  console.log(`  ${sum(faults)} faults, ${total.grants} locks granted, ${total.contended} of them waited for`);
  console.log(`  ${total.losses} locks lost and told so, ${total.overlaps} pairs believed in at once`);
  console.log(`  ${total.writes} writes accepted, ${total.refused} accesses refused by the fence`);
  console.log(`  ${total.violations} violations\n`);
  return total.violations;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, each) => all + each, 0);
}
