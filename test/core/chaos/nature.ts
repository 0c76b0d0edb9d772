import { type Dice, type Simulation } from './simulation.js';

/** What all parts of a run share, and no process may know. */
export interface Nature {
  readonly simulation: Simulation;
  readonly dice: Dice;
  readonly tally: Tally;
  /** Until then calls may fail, in true time. */
  readonly faultyUntil: number;
  /** Something happened that should not have. */
  readonly problem: (what: string) => void;
}

/** What happened, so that it is noticed when nothing did. */
export class Tally {
  /** Locks that were given to callers, and those of them that had been waited for. */
  granted = 0;
  waitedFor = 0;
  handedOver = 0;
  entered = 0;
  lost = 0;
  refused = 0;
  faults = 0;
  staleWakes = 0;
  disturbances = 0;
  /** How often more callers had a key than their modes allow, as far as they had been told. */
  doubts = 0;

  add(other: Tally): void {
    for (const what of Object.keys(other) as (keyof Omit<Tally, 'add'>)[]) this[what] += other[what];
  }
}
