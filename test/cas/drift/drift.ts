import { CasBackend, type CasStore, MemoryStore } from '../../../lib/cas/index.js';
import { type LeaseRule, leaseRule } from '../../../lib/cas/lease.rule.js';
import { isLockError, type Lock, LockManager } from '../../../lib/core/index.js';
import { Dice, Machine, Simulation } from '../../core/chaos/simulation.js';
import { type Distance, FarStore, LONGEST_SLEEP_MS } from './far.store.js';

/** What a run is made with, right or wrong. */
export interface Making {
  readonly driftRatio: number;
  readonly rule: LeaseRule;
  /** What a process makes of the store. */
  readonly through: (store: CasStore) => CasStore;
}

/** By how much clocks go wrong, at most, and what is right then. */
export const DRIFT = 0.05;
export const RIGHT: Making = { driftRatio: DRIFT, rule: leaseRule, through: (store) => store };

export interface Report {
  readonly violations: readonly string[];
  /** How many locks were given, and how many of them were lost. */
  readonly granted: number;
  readonly lost: number;
  /** How many callers were never served once all was well. */
  readonly starved: number;
}

const PROCESSES = 3;
const LEASE_MS = 4_000;
const TROUBLE_MS = 25_000;
const CALM_MS = 60_000;
const IN_TROUBLE: Distance = { latencyMs: 1_500, lossRate: 0.06, sleepRate: 0.01 };
const IN_CALM: Distance = { latencyMs: 100, lossRate: 0, sleepRate: 0 };

interface Process {
  readonly name: string;
  readonly machine: Machine;
  readonly link: FarStore;
  readonly locks: LockManager;
}

interface Holder {
  readonly name: string;
  readonly machine: Machine;
  readonly lock: Lock;
}

/** One run: processes with clocks of their own that want one lock, and all that befalls them, as the seed decides. */
export async function drift(seed: number, making: Making = RIGHT): Promise<Report> {
  const run = new Run(new Dice(seed), making);
  await run.toItsEnd();
  const { violations, granted, lost, starved } = run;
  return { violations, granted, lost, starved };
}

class Run {
  readonly violations: string[] = [];
  granted = 0;
  lost = 0;
  starved = 0;
  private readonly simulation = new Simulation();
  private readonly store = new MemoryStore();
  private readonly alive = new Set<LockManager>();
  private readonly holders = new Set<Holder>();
  private highest = 0n;

  constructor(
    private readonly dice: Dice,
    private readonly making: Making,
  ) {}

  async toItsEnd(): Promise<void> {
    const { dice, simulation } = this;
    for (let index = 0; index < PROCESSES; index += 1) this.startProcess(`process ${index}`);
    if (dice.chance(0.6)) {
      simulation.at(dice.fraction() * TROUBLE_MS, () => this.startProcess('the one after the crash'));
    }
    const look = (): void => this.compare();
    await simulation.run(TROUBLE_MS, look);
    this.starved = this.alive.size;
    for (const locks of this.alive) void this.callUntilServed(locks).then(() => (this.starved -= 1));
    await simulation.run(TROUBLE_MS + CALM_MS, look, () => this.starved === 0);
  }

  private startProcess(name: string): void {
    const { dice, simulation, making } = this;
    const { driftRatio, rule, through } = making;
    const rate = 1 + DRIFT * dice.oneOf(-1, 1, 2 * dice.fraction() - 1);
    const clock = new Machine(simulation, dice, rate);
    const distance = (): Distance => (simulation.time < TROUBLE_MS ? IN_TROUBLE : IN_CALM);
    const link = new FarStore(this.store, simulation, clock, dice, distance);
    const store = through(link);
    const random = { id: () => `${name}-${dice.below(2 ** 32)}`, fraction: () => dice.fraction() };
    const backend = new CasBackend({ store, driftRatio }, { clock, random, rule });
    const locks = new LockManager({ backend, leaseMs: LEASE_MS, localHandOffs: dice.oneOf(0, 2) }, { clock, random });
    this.alive.add(locks);
    const crashesAt = dice.chance(0.25) ? dice.fraction() * TROUBLE_MS : Infinity;
    simulation.at(crashesAt, () => {
      this.alive.delete(locks);
      clock.stall(Infinity);
    });
    for (let pauses = dice.below(4); pauses > 0; pauses -= 1) {
      simulation.at(dice.fraction() * TROUBLE_MS, () => clock.stall(dice.fraction() * 2_500));
    }
    for (let sleeps = dice.below(3); sleeps > 0; sleeps -= 1) {
      simulation.at(dice.fraction() * TROUBLE_MS, () => clock.suspend(dice.fraction() * LONGEST_SLEEP_MS));
    }
    for (let callers = dice.oneOf(1, 1, 2); callers > 0; callers -= 1)
      void this.call({ name, machine: clock, link, locks });
  }

  private async call(process: Process): Promise<void> {
    const { dice, simulation } = this;
    const { machine, locks } = process;
    while (simulation.time < TROUBLE_MS) {
      await machine.after(dice.fraction() * 1_000);
      try {
        const lock = await locks.acquire('a', { waitMs: dice.oneOf(0, 3_000, 20_000) });
        await this.hold(process, lock);
      } catch (error) {
        if (!isLockError(error)) this.violations.push(String(error));
      }
    }
  }

  private async callUntilServed(locks: LockManager): Promise<void> {
    // What was sent in the time of trouble may still fail.
    while ((await locks.tryAcquire('a', { waitMs: 20_000 }).catch(() => null))?.release() === undefined);
  }

  private async hold({ name, machine, link }: Process, lock: Lock): Promise<void> {
    const { dice, simulation } = this;
    const holder = { name, machine, lock };
    const token = lock.fencingToken;
    if (lock.held) {
      this.granted += 1;
      if (token <= this.highest) this.violations.push(`${name} was given ${token} after ${this.highest}`);
      if (token > this.highest) this.highest = token;
    }
    this.holders.add(holder);
    // Trouble comes when it is least welcome.
    const cutOff = simulation.time < TROUBLE_MS && dice.chance(0.25);
    if (cutOff) simulation.at(simulation.time + dice.fraction() * 2_000, () => link.cut(8_000));
    await machine.after(cutOff ? 8_000 : dice.oneOf(0, 500, 2_000));
    this.holders.delete(holder);
    if (!(await lock.release())) this.lost += 1;
  }

  /** Those whose process can run now, and who believe that they hold it now. */
  private compare(): void {
    const able = [...this.holders].filter(({ machine }) => machine.awake);
    if (able.length < 2) return;
    const valid = able.filter(({ lock }) => lock.held).map(({ name, lock }) => `${name} (${lock.remainingMs} ms left)`);
    if (valid.length > 1) this.violations.push(`at ${this.simulation.time} ms: ${valid.join(' and ')}`);
  }
}
