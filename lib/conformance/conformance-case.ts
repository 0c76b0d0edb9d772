import { type LockTrial } from './lock-trial.js';

/** One thing that must hold of every backend, as data. */
export interface ConformanceCase {
  /** A sentence, unique in its part. */
  readonly name: string;
  /** Whether it is run once for each of `mutexModes`, or once, with modes of its own. */
  readonly modes: 'every mutex' | 'own';
  /** Rejects when it does not hold. */
  run(trial: LockTrial): Promise<void>;
}

/** A case of what must hold of a mutex, whatever makes it one. */
export function mutexCase(name: string, run: ConformanceCase['run']): ConformanceCase {
  return { name, modes: 'every mutex', run };
}

/** A case that is run once. */
export function singleCase(name: string, run: ConformanceCase['run']): ConformanceCase {
  return { name, modes: 'own', run };
}
