import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededChance } from '../../lib/conformance/chance.js';
import { Compiled } from '../support/compiled.js';
import { type History, monotonicMs, readHistory } from './history.js';
import { linkFaults } from './link.faults.js';
import { Link } from './link.js';
import { notServed } from './oracles.js';
import { processFaults } from './process.faults.js';
import { FencedResource } from './resource.js';
import { type Fault, type Site } from './site.js';
import { Worker } from './worker.js';
import { World } from './world.js';

export interface RunOptions {
  readonly site: Site;
  readonly processes: number;
  readonly seed: number;
  /** Goes on, fault by fault, until each was injected so often, or, if that is given, for so long. */
  readonly rounds: number;
  readonly forMs?: number;
  /** Those of a row come one after the other, beside those of other rows. Left out: all that there are. */
  readonly faults?: readonly (readonly Fault[])[];
  /** For runs that show that the work is worth a lock, and a fence. */
  readonly control?: 'no locks' | 'no fence' | 'no faults';
  /** Told every now and then how far it is. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly faults: Readonly<Record<string, number>>;
  readonly writes: number;
  readonly refused: number;
}

export interface Run extends Progress {
  readonly history: History;
  readonly seconds: number;
  /** What the run itself saw: processes that ended by themselves, or were not served at the end. */
  readonly violations: readonly string[];
  /** What processes and resource wrote down. Stays until it is removed. */
  readonly folder: string;
  remove(): void;
}

const KEYS = ['a', 'b', 'c'];
/** Faults that have just been mended have their after-effects, up to a session. */
const SERVED_WITHIN_MS = 60_000;

/** Several processes and their servers, to which everything happens that can; and what they have to say of it. */
export async function runFaults(options: RunOptions): Promise<Run> {
  const { site, processes, seed, control } = options;
  using program = new Compiled('lib', 'test/fault', 'test/support');
  const chance = seededChance(seed);
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-fault-'));
  const resource = new FencedResource(control === undefined || control === 'no faults');
  const resourcePort = await resource.listen();
  const files = new Map<string, string>();
  const world = new World(site, chance, startWorker, () => resource.visitors);
  const everybody: Worker[] = [];
  const counts: Record<string, number> = {};
  const startedAt = monotonicMs();
  const progress = (): Progress => ({ faults: counts, ...countsOf(resource) });
  const reporting = setInterval(() => options.onProgress?.(progress()), 10_000);
  try {
    for (let n = 0; n < processes; n += 1) await world.grow();
    if (control === 'no locks' || control === 'no faults') await sleep(options.forMs ?? 5_000);
    else await Promise.all((options.faults ?? [processFaults, linkFaults, site.faults]).map(injectAll));

    const healedAt = monotonicMs();
    const slow = await Promise.allSettled(world.workers.map((worker) => worker.settles(SERVED_WITHIN_MS)));
    const history = readHistory(files, resource.accesses);
    const names = world.workers.map(({ name }) => name);
    const violations = [
      ...everybody.flatMap(({ crash }) => crash ?? []),
      ...slow.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : [])),
      ...(control === 'no locks' ? [] : notServed(names, KEYS, healedAt)(history)),
    ];
    const seconds = (monotonicMs() - startedAt) / 1_000;
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    return { ...progress(), history, seconds, violations, folder, remove };
  } finally {
    clearInterval(reporting);
    await Promise.all(everybody.map((worker) => worker.kill()));
    resource.close();
  }

  async function startWorker(): Promise<Worker> {
    const name = `p${everybody.length + 1}`;
    const history = join(folder, `${name}.jsonl`);
    files.set(name, history);
    const link = await Link.to(site.ports);
    // Another server may have taken over meanwhile.
    link.lead(site.ports);
    world.links.push(link);
    const work = {
      name,
      address: site.address(link.ports),
      keys: KEYS,
      leaseMs: site.leaseMs,
      callers: 3,
      pauseMs: 5 * processes,
      resourcePort,
      history,
      seed: seed + everybody.length,
      locks: control !== 'no locks',
      looks: control !== 'no fence',
    };
    const worker = await Worker.start(program.pathOf('test/fault/worker.process.ts'), work, link);
    everybody.push(worker);
    return worker;
  }

  /** One after the other, in an order by chance; each kind of faults beside the others. */
  async function injectAll(faults: readonly Fault[]): Promise<void> {
    for (let round = 0; goesOn(round); round += 1) {
      for (const { name, inject } of shuffled(faults)) {
        if (!goesOn(round)) return;
        await inject(world);
        counts[name] = (counts[name] ?? 0) + 1;
        await world.lasts(0.2, 1);
      }
    }
  }

  function goesOn(round: number): boolean {
    const { forMs, rounds } = options;
    return forMs === undefined ? round < rounds : monotonicMs() - startedAt < forMs;
  }

  function shuffled<T>(all: readonly T[]): T[] {
    return all
      .map((each) => ({ each, at: chance() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ each }) => each);
  }
}

function countsOf({ accesses }: FencedResource): { writes: number; refused: number } {
  let [writes, refused] = [0, 0];
  for (const { kind, accepted } of accesses) {
    if (!accepted) refused += 1;
    else if (kind === 'write') writes += 1;
  }
  return { writes, refused };
}
