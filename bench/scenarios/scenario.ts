import { type Contender } from '../contenders/contender.js';
import { type Chart } from '../report/chart.js';
import { type Stage } from '../stage/stage.js';

/** How much time a run takes. The more, the less it says about the moment. */
export interface Effort {
  readonly name: 'smallest' | 'quick' | 'full';
  /** Each with connections of its own. */
  readonly repetitions: number;
  /** For one comparison, all repetitions together. */
  readonly forMs: number;
  /** Until the engine has compiled what is used all the time. Before, a lock of ours took twice as long as after 3,000. */
  readonly warmUpLocks: number;
  /** How many of whatever is there in masses, where 1 is what the wanted figure is about. */
  readonly masses: number;
}

/** A row of the first table. */
export interface Verdict {
  readonly row: number;
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What one has to know to read it. */
  readonly note: string;
}

export interface Findings {
  readonly verdicts: readonly Verdict[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
}

export interface Circumstances {
  readonly stage: Stage;
  readonly effort: Effort;
  /** Whether the packages that are compared are there. */
  readonly peers: boolean;
  say(what: string): void;
}

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  measure(circumstances: Circumstances): Promise<Findings>;
}

/** Those that can be measured here. */
export function present(contenders: readonly Contender[], { peers }: Circumstances): readonly Contender[] {
  return contenders.filter(({ kind }) => peers || kind !== 'peer');
}
