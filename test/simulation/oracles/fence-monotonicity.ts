import { grantsByKey } from './grants.js';
import { type Oracle } from './oracle.js';

/**
 * Fencing tokens rise from one holder of a key to the next. Answers overtake each other, and so do those who share a key;
 * among them, each has a token of its own, and one that is above that of whoever had the key alone before.
 */
export const fenceMonotonicity: Oracle = {
  name: 'fence monotonicity',
  judge(history) {
    const found: string[] = [];
    for (const [key, grants] of grantsByKey(history)) {
      const seen = new Set<bigint>();
      let highest = -1n;
      let exclusive = -1n;
      for (const { caller, token, slots, at } of grants) {
        const least = slots === 1 ? highest : exclusive;
        if (token <= least || seen.has(token)) {
          found.push(`at ${at.toFixed(1)} ms ${caller} was given token ${token} of ${key} after ${least}`);
        }
        seen.add(token);
        if (token > highest) highest = token;
        if (slots === 1) exclusive = token;
      }
    }
    return found;
  },
};
