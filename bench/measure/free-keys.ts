import { type Redis } from 'ioredis';
import { type Contender, type Locker } from '../contenders/contender.js';
import { type Effort } from '../scenarios/scenario.js';
import { type Stage } from '../stage/stage.js';
import { interleave, type Way } from './interleave.js';
import { underLoad } from './server-load.js';
import { ratios, sum } from './statistics.js';

export interface FreeKeysTerms {
  readonly stage: Stage;
  readonly contenders: readonly Contender[];
  readonly server: { readonly url: string; readonly admin?: Redis };
  /** Each with a key of its own, one lock after the other. */
  readonly callers: number;
  readonly effort: Pick<Effort, 'repetitions' | 'warmUpLocks'>;
  readonly forMs: number;
}

/** What locks cost that nobody else wants. */
export class FreeKeys {
  /** Microseconds for one, of every turn of every repetition. */
  readonly micros: number[][] = [];
  readonly cpuMicros: number[] = [];
  /** NaN, where nobody counts them. */
  commands = NaN;

  constructor(readonly contender: Contender) {}

  /** How many locks it does in the time in which the other does one, round by round. */
  rateOf(other: FreeKeys): readonly (readonly number[])[] {
    return ratios(other.micros, this.micros);
  }

  get meanCpuMicros(): number {
    return sum(this.cpuMicros) / this.cpuMicros.length;
  }
}

export interface Turn {
  readonly micros: number;
  readonly cpuMicros: number;
}

/** So many locks in a turn, all callers together, that a turn is longer than what the clock and the collector do to it. */
const LOCKS_A_TURN = 24;

/**
 * Each contender in a process of its own, of which one has its turn: what it leaves to the garbage collector, has the engine
 * compile, or hooks into promises, is its own affair. (In one process, a package that is on AsyncLocalStorage made each promise of
 * all of them dearer, on Node 20, and ours by a third.)
 */
export async function freeKeys(terms: FreeKeysTerms): Promise<readonly FreeKeys[]> {
  const { stage, contenders, server, callers, forMs } = terms;
  const { repetitions, warmUpLocks } = terms.effort;
  const results = contenders.map((contender) => new FreeKeys(contender));
  const locks = Math.max(2, Math.ceil(LOCKS_A_TURN / callers));
  const actors = await stage.actors(contenders.length);
  try {
    const turns = contenders.map(
      ({ name }, index) =>
        () =>
          actors[index]!.does.locksInTurn(name, callers, locks),
    );
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      await Promise.all(contenders.map(({ name }, index) => actors[index]!.does.open(name, server.url)));
      for (const [index, { name, sends }] of contenders.entries()) {
        if (repetition === 0) await actors[index]!.does.locksInTurn(name, callers, Math.ceil(warmUpLocks / callers));
        // The first of a connection sends scripts in full, and makes what is missing.
        await turns[index]!();
        if (server.admin === undefined) continue;
        const [, load] = await underLoad(server.admin, sends, turns[index]!);
        results[index]!.commands = load.commands / (callers * locks);
      }
      const ways: Way<Turn>[] = contenders.map(({ name }, index) => ({ name, turn: turns[index]! }));
      const samples = await interleave(ways, { forMs: forMs / repetitions, atLeast: 1 });
      for (const result of results) {
        const own = samples.get(result.contender.name)!;
        result.micros.push(own.map(({ micros }) => micros));
        result.cpuMicros.push(...own.map(({ cpuMicros }) => cpuMicros));
      }
    }
  } finally {
    await Promise.all(actors.map((actor) => actor.stop()));
  }
  return results;
}

/** So many locks by each of so many callers, each with a key of its own. */
export async function locksInTurn(
  locker: Locker,
  keyOf: (key: string) => string,
  callers: number,
  locks: number,
): Promise<Turn> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const key = keyOf(`${caller}`);
      for (let index = 0; index < locks; index += 1) {
        const release = await locker.acquire(key);
        await release();
      }
    }),
  );
  const elapsed = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { micros: (elapsed * 1_000) / callers / locks, cpuMicros: (user + system) / callers / locks };
}
