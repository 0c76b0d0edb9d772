import { type Entry } from '../history.js';
import { acceptedWrites } from './accepted-writes.js';
import { activity } from './activity.js';
import { beliefOverlap } from './belief-overlap.js';
import { fenceMonotonicity } from './fence-monotonicity.js';
import { firstCome } from './first-come.js';
import { honestAnswers } from './honest-answers.js';
import { keptContract } from './kept-contract.js';
import { keptLeases } from './kept-leases.js';
import { liveness } from './liveness.js';
import { lossTold } from './loss-told.js';
import { noFalseLoss } from './no-false-loss.js';
import { type Oracle } from './oracle.js';
import { residue } from './residue.js';
import { turns } from './turns.js';

export const oracles: readonly Oracle[] = [
  beliefOverlap,
  fenceMonotonicity,
  acceptedWrites,
  firstCome,
  liveness,
  lossTold,
  noFalseLoss,
  residue,
  activity,
  keptContract,
  keptLeases,
  honestAnswers,
  turns,
];

export interface Violation {
  readonly oracle: string;
  readonly text: string;
}

/** What is wrong with a history, by whose account. */
export function judge(history: readonly Entry[], judges: readonly Oracle[] = oracles): Violation[] {
  return judges.flatMap(({ name, judge }) => judge(history).map((text) => ({ oracle: name, text })));
}
