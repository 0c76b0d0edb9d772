import * as oracles from './oracles.js';
import { type Run } from './run.js';
import { type Site } from './site.js';

export interface Verdict {
  readonly grants: number;
  readonly contended: number;
  readonly losses: number;
  /** How often two believed at one instant, where that is not promised not to be. */
  readonly overlaps: number;
  readonly violations: readonly string[];
}

/** What all oracles say. */
export function verdictOn(run: Run, site: Site, minima = { grants: 100, contended: 20 }): Verdict {
  const { history } = run;
  const overlaps = oracles.beliefsOverlap(history);
  const inBounds = site.exclusion ? [...overlaps, ...oracles.tokensFallInTurn(history)] : [];
  const always = [
    oracles.tokensFall,
    oracles.acceptedOutOfOrder,
    oracles.updatesLost,
    oracles.lossesToldLate,
    oracles.tooLittle(minima),
  ];
  return {
    grants: history.holds.length,
    contended: history.holds.filter(({ askedAt, from }) => from - askedAt > 5).length,
    losses: history.holds.filter(({ how }) => how !== undefined && how !== 'released').length,
    overlaps: overlaps.length,
    violations: [...run.violations, ...inBounds, ...always.flatMap((oracle) => oracle(history))],
  };
}
