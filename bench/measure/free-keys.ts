import { type Redis } from 'ioredis';
import { type Contender, keyOf, type Locker } from '../contenders/contender.js';
import { interleave, type Way } from './interleave.js';
import { underLoad } from './server-load.js';
import { ratios, sum } from './statistics.js';

export interface FreeKeysTerms {
  readonly contenders: readonly Contender[];
  readonly server: { readonly url: string; readonly admin?: Redis };
  /** Each with a key of its own, one lock after the other. */
  readonly callers: number;
  readonly repetitions: number;
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

interface Turn {
  readonly micros: number;
  readonly cpuMicros: number;
}

/** So many locks in a turn, all callers together, that a turn is longer than what the clock and the collector do to it. */
const LOCKS_A_TURN = 24;

export async function freeKeys(terms: FreeKeysTerms): Promise<readonly FreeKeys[]> {
  const { contenders, server, callers, repetitions, forMs } = terms;
  const results = contenders.map((contender) => new FreeKeys(contender));
  const each = Math.max(2, Math.ceil(LOCKS_A_TURN / callers));
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const lockers = await Promise.all(contenders.map((contender) => contender.open(server.url)));
    const turns = contenders.map((contender, index) => () => turn(lockers[index]!, contender, callers, each));
    for (const [index, { sends }] of contenders.entries()) {
      // The first of a connection sends scripts in full, and makes what is missing.
      await turns[index]!();
      if (server.admin === undefined) continue;
      const [, load] = await underLoad(server.admin, sends, turns[index]!);
      results[index]!.commands = load.commands / (callers * each);
    }
    const ways: Way<Turn>[] = contenders.map(({ name }, index) => ({ name, turn: turns[index]! }));
    const samples = await interleave(ways, { forMs: forMs / repetitions, atLeast: 1 });
    for (const result of results) {
      const own = samples.get(result.contender.name)!;
      result.micros.push(own.map(({ micros }) => micros));
      result.cpuMicros.push(...own.map(({ cpuMicros }) => cpuMicros));
    }
    for (const locker of lockers) await locker.close();
  }
  return results;
}

async function turn(locker: Locker, contender: Contender, callers: number, each: number): Promise<Turn> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const key = keyOf(contender, `${caller}`);
      for (let index = 0; index < each; index += 1) {
        const release = await locker.acquire(key);
        await release();
      }
    }),
  );
  const elapsed = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const locks = callers * each;
  return { micros: (elapsed * 1_000) / locks, cpuMicros: (user + system) / locks };
}
