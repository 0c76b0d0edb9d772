import { systemClock } from '../core/clock.js';
import { type BackendFixture } from './backend-fixture.js';
import { caseTimes } from './case-times.js';
import { type CaseInMode, conformanceCases } from './conformance-cases.js';
import { LockTrial } from './lock-trial.js';

/** A case in one mode, on one backend: ready to be run. */
export interface PlannedCase extends Pick<CaseInMode, 'part' | 'name' | 'title'> {
  /** Why it is not run, if it is not. */
  readonly skipped: string | undefined;
  /** It settles sooner than this, whatever the backend does. In milliseconds. */
  readonly limitMs: number;
  /** Rejects with what is wrong with the backend. */
  readonly run: () => Promise<void>;
}

/** What became of a planned case. */
export interface ConformanceResult extends Pick<CaseInMode, 'part' | 'name' | 'title'> {
  readonly skipped: string | undefined;
  /** What is wrong with the backend; undefined when nothing is. */
  readonly error: unknown;
}

/** Which cases to run. Without `only`, all. */
export interface ConformanceSelection {
  /** The name of a case, for all its modes; or what is found in `part: title`. */
  readonly only?: string | RegExp;
}

/**
 * The suite for one backend, as a list.
 *
 * @throws when the fixture skips a case without a reason or one that is not there, or when nothing is selected.
 */
export function planConformance(fixture: BackendFixture, { only }: ConformanceSelection = {}): readonly PlannedCase[] {
  const { name: backend, skip: skips = [] } = fixture;
  for (const { test, reason } of skips) {
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new Error(`${backend} skips ${test} without a reason`);
    if (!conformanceCases.some((each) => matches(each, test))) {
      throw new Error(`${backend} skips ${test}, and no case has that name`);
    }
  }
  const selected = only === undefined ? conformanceCases : conformanceCases.filter((each) => matches(each, only));
  if (selected.length === 0) throw new Error(`no case has the name ${only}`);
  // Once for the case, once for cleaning up after it, and some air.
  const limitMs = 2.5 * caseTimes(fixture).limitMs;
  return selected.map((each) => {
    const { part, name, title } = each;
    const skipped = skips.find(({ test }) => matches(each, test))?.reason;
    return { part, name, title, skipped, limitMs, run: () => runCase(fixture, each) };
  });
}

/** Runs the suite without a test runner, one case after another. */
export async function runConformance(
  fixture: BackendFixture,
  selection?: ConformanceSelection,
): Promise<readonly ConformanceResult[]> {
  const results: ConformanceResult[] = [];
  for (const { part, name, title, skipped, run } of planConformance(fixture, selection)) {
    const error =
      skipped === undefined
        ? await run().then(
            () => undefined,
            (failure: unknown) => failure,
          )
        : undefined;
    results.push({ part, name, title, skipped, error });
  }
  return results;
}

function matches({ part, name, title }: CaseInMode, test: string | RegExp): boolean {
  return typeof test === 'string' ? test === name : `${part}: ${title}`.search(test) >= 0;
}

/** What goes wrong in the case says more than what goes wrong in cleaning up after it. */
async function runCase(fixture: BackendFixture, { mode, run }: CaseInMode): Promise<void> {
  const trial = new LockTrial(fixture, mode);
  try {
    await inTime(trial, run(trial));
  } catch (error) {
    await inTime(trial, trial.end()).catch(() => undefined);
    throw error;
  }
  await inTime(trial, trial.end());
}

async function inTime({ fixture, limitMs }: LockTrial, work: Promise<void>): Promise<void> {
  const { clock = systemClock } = fixture;
  await new Promise<void>((resolve, reject) => {
    const alarm = clock.alarm(limitMs, () => reject(new Error(`it had not ended after ${limitMs} ms`)));
    void work.then(resolve, reject).finally(() => alarm.cancel());
  });
}
