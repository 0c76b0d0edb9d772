import { remains } from '../core/world.js';
import { type Family, type Store } from './families/family.js';
import { type Entry, History } from './history.js';
import { Dice } from './kernel/dice.js';
import { Simulation } from './kernel/simulation.js';
import { Caller } from './world/caller.js';
import { type Nature } from './world/nature.js';
import { type Process, startProcess, strike } from './world/process.js';
import { Witness } from './world/witness.js';

/** One run: a few processes and all that befalls them, as the seed decides. What oracles make of it is up to them. */
export async function simulate(seed: number, family: Family): Promise<readonly Entry[]> {
  const run = new Run(seed, family);
  await run.chaos();
  await run.healing();
  await run.calm();
  return run.history.entries;
}

/** Longer than any lease, and than anything that hangs is waited for. */
const LEASES_END_MS = 10_000;
/** After which nobody should wait any longer, once calls are answered. */
const SETTLES_MS = 60_000;
const LAST_CALLS_MS = 2_000;
const KEYS = ['a', 'b', 'c'];

class Run {
  readonly history: History;
  private readonly simulation = new Simulation();
  private readonly dice: Dice;
  private readonly nature: Nature;
  private readonly store: Store;
  private readonly witness: Witness;
  private readonly processes: Process[] = [];
  private readonly chaosMs: number;
  /** What is to come or under way, and of which process. */
  private readonly open = new Map<string, Process>();
  private callers = 0;
  private calmly = false;

  constructor(
    seed: number,
    private readonly family: Family,
  ) {
    const { simulation } = this;
    this.history = new History(simulation);
    const dice = (this.dice = new Dice(seed));
    const { pace } = family;
    this.chaosMs = pace * dice.oneOf(100, 500, 2_000);
    this.nature = { simulation, dice, history: this.history, faultyUntil: this.chaosMs + pace * 1_000, pace };
    this.store = family.open(this.nature);
    this.witness = new Witness(this.nature);
    for (const name of ['one', 'two', 'three'].slice(0, dice.oneOf(1, 2, 3, 3))) this.start(name);
  }

  /** Callers, and everything that can befall them. They settle once calls are answered. */
  async chaos(): Promise<void> {
    const { dice, chaosMs, simulation, nature, store } = this;
    this.call(4 + dice.below(16), chaosMs);
    for (let strikes = dice.below(6); strikes > 0; strikes -= 1) {
      this.sometime(`strike ${strikes}`, chaosMs, async (process) => strike(process, nature));
    }
    for (let strikes = dice.oneOf(0, 0, 1, 2); strikes > 0; strikes -= 1) {
      simulation.at(dice.fraction() * chaosMs, () => store.strike?.());
    }
    if (dice.chance(0.3)) this.sometime('close', chaosMs, ({ locks }) => locks.close());
    if (dice.chance(0.3)) simulation.at(dice.fraction() * chaosMs, () => this.crash(dice.oneOf(...this.processes)));
    // A quiet moment before the last crash is not the end.
    await this.advance(chaosMs);
    await this.untilQuiet(SETTLES_MS);
    // Whoever is left may have nothing to do, and trouble to come all the same.
    await this.advance(Math.max(0, nature.faultyUntil - simulation.time) + LEASES_END_MS);
    this.countWhatIsLeftInProcesses();
  }

  /** Somebody alive wants each key. Where a claim of a dead process stands in the way, it must be found out. */
  async healing(): Promise<void> {
    this.history.record('healed', {});
    // One that has not been closed.
    const healer = this.start('healer');
    for (const key of KEYS) {
      const caller = `healer of ${key}`;
      this.open.set(caller, healer);
      const asked = { caller, process: healer.name, keys: [key], waitMs: Infinity, calm: true };
      this.history.record('asked', asked);
      void healer.locks.acquire(key, { waitMs: Infinity }).then(async (lock) => {
        this.witness.givesBack(this.witness.given(caller, healer, lock, 1));
        await lock.release();
        this.open.delete(caller);
      });
    }
    await this.untilQuiet(SETTLES_MS);
  }

  /** A few more callers, whom nothing befalls: of them nothing is left at once, not for a lease, and no timer. */
  async calm(): Promise<void> {
    this.calmly = true;
    this.call(6, 300);
    await this.untilQuiet(SETTLES_MS);
    this.countWhatIsLeftInProcesses();
    // A call that took too long to be waited for may still be under way. What has no owner stays.
    await this.advance(LAST_CALLS_MS);
    this.history.record('left', { where: 'store', what: 'things', count: this.store.residue() });
  }

  private start(name: string): Process {
    const process = startProcess(this.nature, this.family, this.store, name);
    this.processes.push(process);
    return process;
  }

  /** It is gone with all its callers. Another one takes its place. */
  private crash(process: Process): void {
    const { dice, simulation } = this;
    if (process.machine.dead) return;
    process.machine.crash();
    this.history.record('fault', { fault: 'crash', process: process.name });
    for (const [name, of] of this.open) if (of === process) this.open.delete(name);
    this.processes.splice(this.processes.indexOf(process), 1);
    const name = `${process.name} again`;
    this.open.set(name, process);
    simulation.at(simulation.time + dice.oneOf(10, 300), () => {
      this.open.delete(name);
      this.start(name);
      this.call(3, 300);
    });
  }

  private call(callers: number, withinMs: number): void {
    const { nature, witness } = this;
    for (; callers > 0; callers -= 1) {
      const name = `caller ${(this.callers += 1)}`;
      this.sometime(name, withinMs, (process) => new Caller(nature, witness, process, name, this.calmly).call());
    }
  }

  /** At some time, to some process. */
  private sometime(name: string, withinMs: number, happen: (process: Process) => Promise<void>): void {
    const { dice, open, simulation } = this;
    // The others have crashed.
    if (this.processes.length === 0) return;
    const process = dice.oneOf(...this.processes);
    open.set(name, process);
    const begin = (): void => void happen(process).finally(() => open.delete(name));
    simulation.at(simulation.time + dice.fraction() * withinMs, () => process.machine.whenAwake(begin));
  }

  private async untilQuiet(withinMs: number): Promise<void> {
    const quiet = (): boolean => this.open.size === 0 && this.processes.every(({ locks }) => isQuiet(locks));
    await this.advance(withinMs, quiet);
    for (const caller of this.open.keys()) this.history.record('unsettled', { caller });
    for (const { name, locks } of this.processes) {
      if (!isQuiet(locks)) this.history.record('unsettled', { caller: `the core of ${name}` });
    }
  }

  private countWhatIsLeftInProcesses(): void {
    for (const { name, locks } of this.processes) {
      for (const [what, count] of Object.entries(remains(locks))) {
        this.history.record('left', { where: name, what, count });
      }
    }
  }

  private async advance(ms: number, enough?: () => boolean): Promise<void> {
    const { simulation, witness } = this;
    try {
      await simulation.run(simulation.time + ms, () => witness.compare(), enough);
    } catch (error) {
      this.history.record('broke', { text: String(error) });
    }
  }
}

function isQuiet(locks: Process['locks']): boolean {
  const { lines, runs, leaving } = remains(locks);
  return lines + runs + leaving === 0;
}
