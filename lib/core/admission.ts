/**
 * The one rule of this package.
 *
 * > A claim is in when its rank is at most the `slots` of itself and of everyone ahead of it.
 *
 * `line` is everyone who wants a key, in order of arrival. The result is how many of them, counted from the front, hold
 * it. Holders are a prefix because the least `slots` seen so far never grows with rank; nobody shares with more than it
 * allows because the last holder's rank is within everyone's `slots`; and once in, a claim stays in, because arrivals
 * join behind it and departures only lower its rank.
 *
 * Strict first come, first served: a waiting writer (slots 1) stops the readers (slots Infinity) behind it, as in
 * golang.org/x/sync/semaphore. Its cost is that a dead waiter at the front holds up the line until its lease ends.
 */
export function holders(line: Iterable<{ readonly slots: number }>): number {
  let rank = 0;
  let leastSlots = Infinity;
  for (const { slots } of line) {
    leastSlots = Math.min(leastSlots, slots);
    if (rank >= leastSlots) break;
    rank += 1;
  }
  return rank;
}
