import { type Alarm, type Clock } from '../../../lib/core/index.js';
import { type Dice } from './dice.js';
import { type Simulation } from './simulation.js';

const { max } = Math;

/** Alarms ring too late, never too early. The 2 ms in the margin of a lease are for that. */
const LEAST_LATE_MS = 0.001;
export const MOST_LATE_MS = 1.9;

/**
 * The clocks and the event loop of one process. They go too fast or too slow, the event loop is blocked for a while, the
 * machine is suspended, the wall clock is set, the process dies.
 */
export class Machine implements Clock {
  /** It has been blocked or suspended, and runs again. */
  woke: () => void = () => undefined;
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

  get dead(): boolean {
    return this.awakeSince === Infinity;
  }

  /** Whether its two clocks have gone alike all the time. */
  get inOrder(): boolean {
    return !this.disturbed;
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

  /** The process dies: nothing of it runs ever again. */
  crash(): void {
    this.awakeSince = Infinity;
  }

  private freezeUntil(instant: number): void {
    this.awakeSince = max(this.awakeSince, instant);
    this.simulation.at(this.awakeSince, () => {
      if (this.wakesUp) this.woke();
    });
  }

  private get sleptMs(): number {
    const { from, until } = this.sleep;
    const { time } = this.simulation;
    return this.sleptBefore + (time < until ? time : until) - from;
  }
}
