import { type Contender } from '../contenders/contender.js';
import { type Effort } from './scenario.js';

/** Fixed waits, the same for all: whoever wants the key comes back together with all others, and one of them gets it. */
const SLOW = new Set(['redlock-universal', 'ioredis-lock']);
/** The wait of its README is 1 s: fifty callers would need the better part of a minute for one section each. */
const HOPELESS = 'murlock';

/** What there is time for, of those who wait by trying again. */
export function polling(contenders: readonly Contender[], { name }: Effort): readonly Contender[] {
  return contenders.filter((each) => each.name !== HOPELESS && (name === 'full' || !SLOW.has(each.name)));
}

export const LEFT_OUT =
  'Left out: murlock with the wait of 1 s of its README, which would take a minute for each repetition; and in a quick run ' +
  'redlock-universal and ioredis-lock as they are by default.';
