import { type History } from '../history.js';
import { type Dice } from '../kernel/dice.js';
import { type Simulation } from '../kernel/simulation.js';

/** What all parts of a run share, and no process may know. */
export interface Nature {
  readonly simulation: Simulation;
  readonly dice: Dice;
  readonly history: History;
  /** Until then calls may fail, in true time. */
  readonly faultyUntil: number;
  /** What all durations are multiplied with. */
  readonly pace: number;
}
