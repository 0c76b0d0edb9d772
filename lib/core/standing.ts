import { type Held, type Standing } from './backend.js';

/** What a backend answered, if it is an answer at all: a wrong number would make a lease or a wait of any length. */
export function checked(standing: Standing): Standing {
  const sane = standing?.held
    ? isHeld(standing)
    : typeof standing?.held === 'boolean' && standing.ahead >= 0 && isPositive(standing.askAgainMs);
  if (!sane) throw new TypeError('the backend answered something that is no standing');
  return standing;
}

/** An answer, and the one that was hoped for. */
export function isHeld(standing: Standing): standing is Held {
  return standing?.held === true && typeof standing.place === 'bigint' && isPositive(standing.leaseMs);
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < Infinity;
}
