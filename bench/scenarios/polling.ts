import { type Contender } from '../contenders/contender.js';
import { type Effort } from './scenario.js';

/** In a quick run. Of two that are one program by another name, the one that is asked for more. */
const HASTY = new Set([
  'redis-semaphore',
  'redis-semaphore, tuned',
  'redlock, tuned',
  'redlock-universal, tuned',
  'murlock, tuned',
]);
/** The wait of its README is 1 s, the same for all: fifty callers would need the better part of a minute for a section each. */
const HOPELESS = 'murlock';

/** What there is time for, of those who wait by trying again. */
export function polling(contenders: readonly Contender[], { name }: Effort): readonly Contender[] {
  return contenders.filter((each) => each.name !== HOPELESS && (name === 'full' || HASTY.has(each.name)));
}

export const LEFT_OUT =
  'Left out: murlock with the wait of 1 s of its README, which would take a minute for each repetition; in a quick run, ' +
  'for want of time, also ioredis-lock, @sesamecare-oss/redlock and the defaults of redlock and redlock-universal.';
