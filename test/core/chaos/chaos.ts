import { type Clock } from '../../../lib/core/index.js';
import { MemoryBackend } from '../../../lib/memory/index.js';
import { NOTHING, remains } from '../world.js';
import { Caller } from './caller.js';
import { type Nature, Tally } from './nature.js';
import { type Process, startProcess, strike } from './process.js';
import { Dice, Simulation } from './simulation.js';
import { Witness } from './witness.js';

/** What happened in a run, and what should not have. */
export interface Report {
  readonly problems: readonly string[];
  readonly tally: Tally;
}

/** One run: a few processes and all that befalls them, as the seed decides. */
export async function chaos(seed: number): Promise<Report> {
  const run = new Run(seed);
  await run.chaos();
  await run.calm();
  return { problems: run.problems, tally: run.tally };
}

/** Longer than any lease, and than anything that hangs is waited for. */
const LEASES_END_MS = 10_000;
/** After which nobody should wait any longer, once calls are answered. */
const SETTLES_MS = 60_000;

class Run {
  readonly problems: string[] = [];
  readonly tally = new Tally();
  private readonly simulation = new Simulation();
  private readonly dice: Dice;
  private readonly nature: Nature;
  private readonly memory = new MemoryBackend({ clock: trueClock(this.simulation) });
  private readonly witness: Witness;
  private readonly processes: readonly Process[];
  private readonly chaosMs: number;
  /** What is to come or under way. */
  private readonly open = new Set<string>();
  private callers = 0;

  constructor(seed: number) {
    const { simulation, tally } = this;
    this.dice = new Dice(seed);
    this.chaosMs = this.dice.oneOf(100, 500, 2_000);
    const problem = (what: string): void => void this.problems.push(`at ${simulation.time.toFixed(1)} ms: ${what}`);
    this.nature = { simulation, dice: this.dice, tally, faultyUntil: this.chaosMs + 1_000, problem };
    this.witness = new Witness(this.nature);
    const names = ['one', 'two', 'three'].slice(0, this.dice.oneOf(1, 2, 3, 3));
    this.processes = names.map((name) => startProcess(this.nature, this.memory, name));
  }

  /** Callers, and everything that can befall them. It settles once calls are answered. */
  async chaos(): Promise<void> {
    const { dice, chaosMs } = this;
    this.call(5 + dice.below(40), chaosMs);
    for (let strikes = dice.below(6); strikes > 0; strikes -= 1) {
      this.sometime(`strike ${strikes}`, chaosMs, async (process) => strike(process, this.nature));
    }
    if (dice.chance(0.3)) this.sometime('close', chaosMs, ({ locks }) => locks.close());
    await this.untilQuiet(chaosMs + SETTLES_MS);
    await this.advance(LEASES_END_MS);
    this.expectNothingLeft();
  }

  /** A few more callers, whom nothing befalls: of them nothing is left at once, not for a lease, and no timer. */
  async calm(): Promise<void> {
    this.call(6, 300);
    await this.untilQuiet(SETTLES_MS);
    this.expectNothingLeft();
    for (const key of ['a', 'b', 'c']) {
      const { length } = await this.memory.inspect(key);
      if (length > 0) this.nature.problem(`${length} left in the line of ${key}`);
    }
  }

  private call(callers: number, withinMs: number): void {
    const { nature, witness } = this;
    for (; callers > 0; callers -= 1) {
      const name = `caller ${(this.callers += 1)}`;
      this.sometime(name, withinMs, (process) => new Caller(nature, witness, process, name).call());
    }
  }

  /** At some time, to some process. */
  private sometime(name: string, withinMs: number, happen: (process: Process) => Promise<void>): void {
    const { dice, open, simulation } = this;
    const process = dice.oneOf(...this.processes);
    open.add(name);
    const begin = (): void => void happen(process).finally(() => open.delete(name));
    simulation.at(simulation.time + dice.fraction() * withinMs, () => process.machine.whenAwake(begin));
  }

  private async untilQuiet(withinMs: number): Promise<void> {
    const quiet = (): boolean =>
      this.open.size === 0 &&
      this.processes.every(({ locks }) => {
        const { lines, runs, leaving } = remains(locks);
        return lines + runs + leaving === 0;
      });
    await this.advance(withinMs, quiet);
    for (const name of this.open) this.nature.problem(`${name} has not settled`);
  }

  private expectNothingLeft(): void {
    for (const { name, locks } of this.processes) {
      const left = JSON.stringify(remains(locks));
      if (left !== JSON.stringify(NOTHING)) this.nature.problem(`left in ${name}: ${left}`);
    }
  }

  private async advance(ms: number, enough?: () => boolean): Promise<void> {
    const { simulation, witness } = this;
    try {
      await simulation.run(simulation.time + ms, () => witness.compare(), enough);
    } catch (error) {
      this.nature.problem(error instanceof Error ? error.stack! : String(error));
    }
  }
}

/** The clock of the store: right, and of no use for waiting. */
function trueClock(simulation: Simulation): Clock {
  return {
    now: () => simulation.time,
    wall: () => 1_800_000_000_000 + simulation.time,
    alarm: () => {
      throw new Error('the store waits for nothing');
    },
  };
}
