import { type CasStore, type Version, type Versioned, type Written } from '../../../lib/cas/index.js';
import { type Dice, type Machine, type Simulation } from '../../core/chaos/simulation.js';

export interface Distance {
  /** There and back, at most. */
  readonly latencyMs: number;
  /** Of replies, and of writes that arrive late, after it was said that nobody knows of them. */
  readonly lossRate: number;
  /** Of machines that are suspended while an answer is on its way. */
  readonly sleepRate: number;
}

const LATE_WRITE_MS = 6_000;
/** Of a machine that is suspended: several leases. */
export const LONGEST_SLEEP_MS = 12_000;

/** A store as one process sees it: far away, and not all that is sent to it or back arrives in time. */
export class FarStore implements CasStore {
  readonly name = 'far-store';
  private cutUntil = 0;

  constructor(
    private readonly behind: CasStore,
    private readonly simulation: Simulation,
    private readonly machine: Machine,
    private readonly dice: Dice,
    private readonly distance: () => Distance,
  ) {}

  read(key: string): Promise<Versioned | null> {
    return this.send(() => this.behind.read(key));
  }

  write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    return this.send(() => this.behind.write(key, next, expected));
  }

  watch(key: string, changed: () => void): () => void {
    return this.behind.watch!(key, () => {
      const { latencyMs, lossRate } = this.distance();
      if (this.dice.chance(0.1 + lossRate)) return;
      void this.passes(this.wayMs(latencyMs)).then(changed);
    });
  }

  /** Nothing arrives for a while. */
  cut(ms: number): void {
    this.cutUntil = this.simulation.time + ms;
  }

  private async send<T>(call: () => Promise<T>): Promise<T> {
    const { dice, machine, simulation } = this;
    const { latencyMs, lossRate, sleepRate } = this.distance();
    const thereMs = this.wayMs(latencyMs);
    const backMs = this.wayMs(latencyMs);
    if (simulation.time < this.cutUntil) {
      await this.passes(latencyMs);
      throw new Error('cut off');
    }
    if (dice.chance(lossRate)) {
      const arrivesMs = dice.oneOf(thereMs, dice.fraction() * LATE_WRITE_MS);
      simulation.at(simulation.time + arrivesMs, () => void call());
      await this.passes(latencyMs);
      throw new Error('nobody knows');
    }
    const answer = await new Promise<T>((resolve) => {
      simulation.at(simulation.time + thereMs, () => resolve(call()));
    });
    if (dice.chance(sleepRate)) machine.suspend(dice.fraction() * LONGEST_SLEEP_MS);
    await this.passes(backMs);
    return answer;
  }

  /** Mostly quick. */
  private wayMs(latencyMs: number): number {
    return (this.dice.oneOf(0.05, 0.05, 1) * this.dice.fraction() * latencyMs) / 2;
  }

  /** Until what takes so long is noticed by the process. */
  private passes(ms: number): Promise<void> {
    const { machine, simulation } = this;
    return new Promise((resolve) => void simulation.at(simulation.time + ms, () => machine.whenAwake(resolve)));
  }
}
