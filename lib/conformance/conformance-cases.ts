import { evictingCases } from './cases/evicting.cases.js';
import { exclusionCases } from './cases/exclusion.cases.js';
import { faultsCases } from './cases/faults.cases.js';
import { forcingCases } from './cases/forcing.cases.js';
import { holdingCases } from './cases/holding.cases.js';
import { inspectionCases } from './cases/inspection.cases.js';
import { joiningCases } from './cases/joining.cases.js';
import { keysCases } from './cases/keys.cases.js';
import { leasesCases } from './cases/leases.cases.js';
import { leavingCases } from './cases/leaving.cases.js';
import { orderCases } from './cases/order.cases.js';
import { placesCases } from './cases/places.cases.js';
import { runningCases } from './cases/running.cases.js';
import { waitingCases } from './cases/waiting.cases.js';
import { wakesCases } from './cases/wakes.cases.js';
import { type ConformanceCase } from './conformance-case.js';
import { mutexClaims, type MutexMode, mutexModes } from './mutex-mode.js';

/** A case in one of its modes. */
export interface CaseInMode {
  /** `claims`: the contract itself, claim by claim. `locks`: what the core makes of it, with several managers. */
  readonly part: 'claims' | 'locks';
  readonly name: string;
  /** The name and, if the case is run in several modes, the mode. */
  readonly title: string;
  readonly mode: MutexMode;
  readonly run: ConformanceCase['run'];
}

const claims: readonly ConformanceCase[] = [
  ...joiningCases,
  ...leavingCases,
  ...evictingCases,
  ...orderCases,
  ...placesCases,
  ...leasesCases,
  ...wakesCases,
  ...inspectionCases,
  ...keysCases,
];

const locks: readonly ConformanceCase[] = [
  ...exclusionCases,
  ...waitingCases,
  ...holdingCases,
  ...forcingCases,
  ...runningCases,
  ...faultsCases,
];

/** The whole suite, as data: every case of a mutex in every mode that makes one, and the others once. */
export const conformanceCases: readonly CaseInMode[] = [
  ...inModes('claims', claims, mutexClaims),
  ...inModes('locks', locks, mutexModes),
];

function inModes(
  part: CaseInMode['part'],
  cases: readonly ConformanceCase[],
  modes: readonly MutexMode[],
): CaseInMode[] {
  return cases.flatMap(({ name, modes: wanted, run }) =>
    wanted === 'every mutex'
      ? modes.map((mode) => ({ part, name, title: `${name} [${mode.name}]`, mode, run }))
      : [{ part, name, title: name, mode: mutexModes[0], run }],
  );
}
