import { type BackendFixture } from './backend-fixture.js';

/** How long things take in the cases of one fixture, in milliseconds. All that is bounded from above is bounded generously. */
export interface CaseTimes {
  /** A lease that cases wait for to end. */
  readonly leaseMs: number;
  /** How long a case waits for what should happen soon. */
  readonly patienceMs: number;
  /** How long a case may take. */
  readonly limitMs: number;
  /** A lease that does not end while the case runs, renewed or not. */
  readonly longMs: number;
}

export function caseTimes({ leaseMs = 500 }: BackendFixture): CaseTimes {
  const patienceMs = 6_000 + 6 * leaseMs;
  const limitMs = 4 * patienceMs;
  return { leaseMs, patienceMs, limitMs, longMs: 3 * limitMs };
}
