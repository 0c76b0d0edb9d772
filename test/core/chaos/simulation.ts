import { type Alarm, type Clock } from '../../../lib/core/index.js';
import { settled } from '../virtual-clock.js';

// A global is slow to reach from within a test, and these are reached a million times.
const { floor, imul, max } = Math;

/** Chance that a seed decides: the same every time. */
export class Dice {
  constructor(private state: number) {}

  /** From 0 up to, not including, 1. Mulberry32. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  below(limit: number): number {
    return floor(this.fraction() * limit);
  }

  oneOf<T>(...choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** A hundred times what a run takes. */
const MOST_HAPPENINGS = 60_000;

interface Happening {
  readonly due: number;
  readonly happen: () => void;
}

/** True time, which no process can read, and what happens in it: in order, each with all that follows at once. */
export class Simulation {
  time = 0;
  happened = 0;
  private readonly agenda: Happening[] = [];

  /** What it returns calls it off. */
  at(due: number, happen: () => void): () => void {
    const happening = { due: max(due, this.time), happen };
    let index = this.agenda.length;
    while (index > 0 && this.agenda[index - 1]!.due > happening.due) index -= 1;
    this.agenda.splice(index, 0, happening);
    return () => {
      const index = this.agenda.indexOf(happening);
      if (index >= 0) this.agenda.splice(index, 1);
    };
  }

  /** Until an instant, or sooner when it is enough. */
  async run(until: number, afterEach: () => void, enough?: () => boolean): Promise<void> {
    for (let next = this.agenda[0]; next !== undefined && next.due <= until; next = this.agenda[0]) {
      if (enough?.() === true) return;
      this.agenda.shift();
      this.time = next.due;
      if ((this.happened += 1) > MOST_HAPPENINGS) throw new Error('it goes on and on, as something that spins does');
      next.happen();
      await settled();
      afterEach();
    }
    this.time = until;
  }
}

/** Alarms ring too late, never too early. The 2 ms in the margin of a lease are for that. */
const LEAST_LATE_MS = 0.001;
const MOST_LATE_MS = 1.9;

/**
 * The clocks and the event loop of one process. They go too fast or too slow, the event loop is blocked for a while, the
 * machine is suspended, the wall clock is set.
 */
export class Machine implements Clock {
  /** Since when its event loop runs, or when it will again, in true time. */
  private awakeSince = -1;
  /** Whether its two clocks have been moved apart. */
  private disturbed = false;
  private sleptBefore = 0;
  private sleep = { from: 0, until: 0 };
  private jumped = 0;

  constructor(
    private readonly simulation: Simulation,
    private readonly dice: Dice,
    /** Of its time to true time. */
    private readonly rate: number,
  ) {}

  now(): number {
    return 1_000 + this.rate * (this.simulation.time - this.sleptMs);
  }

  wall(): number {
    return 1_700_000_000_000 + this.rate * this.simulation.time + this.jumped;
  }

  alarm(delayMs: number, ring: () => void): Alarm {
    const due = this.now() + max(0, delayMs);
    let cancelled = false;
    let callOff = (): void => undefined;
    const wait = (lateMs: number): void => {
      const leftMs = (due - this.now()) / this.rate;
      callOff = this.simulation.at(this.simulation.time + leftMs + lateMs, () => this.whenAwake(attend));
    };
    const attend = (): void => {
      if (cancelled) return;
      // It may have slept meanwhile, while its monotonic clock stood still.
      if (this.now() < due) wait(LEAST_LATE_MS);
      else ring();
    };
    if (delayMs < Infinity) wait(this.dice.chance(0.3) ? this.dice.fraction() * MOST_LATE_MS : LEAST_LATE_MS);
    const cancel = (): void => {
      cancelled = true;
      callOff();
    };
    return { cancel, keepAlive: () => undefined };
  }

  get awake(): boolean {
    return this.simulation.time >= this.awakeSince;
  }

  /** At the very moment at which nothing of it has run since. */
  get wakesUp(): boolean {
    return this.simulation.time === this.awakeSince;
  }

  /** Whether its two clocks have gone alike all the time. */
  get inOrder(): boolean {
    return !this.disturbed;
  }

  /** Whether its event loop has run all the time. */
  runsSince(instant: number): boolean {
    return this.awakeSince < instant;
  }

  /** Now, or when its event loop runs again: then in any order. */
  whenAwake(work: () => void): void {
    if (this.awake) work();
    else this.simulation.at(this.awakeSince + this.dice.fraction() / 1_000, () => this.whenAwake(work));
  }

  /** Resolves when so much of its time has passed. */
  after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.alarm(ms, resolve));
  }

  /** Its event loop is blocked. */
  stall(ms: number): void {
    this.freezeUntil(this.simulation.time + ms);
  }

  /** It is suspended: nothing runs, and its monotonic clock stands still. */
  suspend(ms: number): void {
    if (!this.awake) return;
    const { time } = this.simulation;
    this.sleptBefore = this.sleptMs;
    this.sleep = { from: time, until: time + ms };
    this.disturbed = true;
    this.freezeUntil(time + ms);
  }

  /** Its wall clock is set, forwards or backwards. */
  setWall(byMs: number): void {
    this.jumped += byMs;
    this.disturbed = true;
  }

  private freezeUntil(instant: number): void {
    this.awakeSince = max(this.awakeSince, instant);
    this.simulation.at(this.awakeSince, () => undefined);
  }

  private get sleptMs(): number {
    const { from, until } = this.sleep;
    const { time } = this.simulation;
    return this.sleptBefore + (time < until ? time : until) - from;
  }
}
