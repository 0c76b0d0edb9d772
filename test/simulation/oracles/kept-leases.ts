import { all } from '../history.js';
import { type Oracle } from './oracle.js';

/** What its owner takes off at least, for clocks that go wrong: less than the margin, which is 1 % and 2 ms. */
const INEXACT = 0.98;

interface Lease {
  readonly place: bigint;
  readonly leaseMs: number;
  /** In true time. */
  readonly endsAt: number;
}

/** A store that drops a claim by itself has let the lease end that it last confirmed: whether or not another gets in by that. */
export const keptLeases: Oracle = {
  name: 'kept leases',
  judge(history) {
    const found: string[] = [];
    const leases = new Map<string, Lease>();
    for (const entry of all(history, 'sent', 'answered', 'dropped')) {
      const { claim } = entry;
      const lease = leases.get(claim);
      if (entry.event === 'sent') {
        // Whoever leaves believes in nothing any more.
        if (entry.call === 'withdraw') leases.delete(claim);
      } else if (entry.event === 'answered') {
        const { standing, kept, call, sentAt } = entry;
        const { place, leaseMs } = standing?.held ? standing : call === 'renew' && kept === true ? (lease ?? {}) : {};
        if (place === undefined || leaseMs === undefined) continue;
        const endsAt = Math.max(sentAt + INEXACT * leaseMs, lease?.place === place ? lease.endsAt : 0);
        leases.set(claim, { place, leaseMs, endsAt });
      } else if (lease !== undefined && lease.place === entry.place && lease.endsAt > entry.at) {
        const earlyMs = (lease.endsAt - entry.at).toFixed(1);
        found.push(`at ${entry.at.toFixed(1)} ms ${claim} was dropped ${earlyMs} ms before the end of its lease`);
      }
    }
    return found;
  },
};
