import { all } from '../history.js';
import { grantsByKey } from './grants.js';
import { type Oracle } from './oracle.js';

/** P2: a resource that looks at fencing tokens takes no write of an earlier holder once it took one of a later holder. */
export const acceptedWrites: Oracle = {
  name: 'accepted writes',
  judge(history) {
    const found: string[] = [];
    const rankOf = new Map<string, number>();
    for (const [key, grants] of grantsByKey(history)) {
      grants.filter(({ slots }) => slots === 1).forEach(({ caller }, rank) => rankOf.set(`${caller} ${key}`, rank));
    }
    const latest = new Map<string, { readonly rank: number; readonly caller: string }>();
    for (const { caller, key, accepted, at } of all(history, 'written')) {
      const rank = rankOf.get(`${caller} ${key}`);
      if (!accepted || rank === undefined) continue;
      const before = latest.get(key);
      if (before !== undefined && rank < before.rank) {
        found.push(`at ${at.toFixed(1)} ms a write of ${caller} to ${key} was taken after one of ${before.caller}`);
      } else {
        latest.set(key, { rank, caller });
      }
    }
    return found;
  },
};
