import { timesForgotten } from './forgetting.js';
import { endOf, Leases, margin } from './leases.js';
import { type Oracle } from './oracle.js';

const ROUNDING_MS = 0.001;

/**
 * Nothing is called lost that is not: a lease that is said to have ended has no more left than the margin for drift, and
 * a claim that is said to be gone is gone by the word of the store, which had a reason: the lease had ended, the machine
 * slept, or the store forgot.
 */
export const noFalseLoss: Oracle = {
  name: 'no false loss',
  judge(history) {
    const forgotten = timesForgotten(history);
    const leases = new Leases();
    const sleptAt = new Map<string, number>();
    const found: string[] = [];
    for (const entry of history) {
      leases.note(entry);
      if (entry.event === 'fault' && ['doze', 'sleep'].includes(entry.fault)) sleptAt.set(entry.process!, entry.at);
      if (entry.event !== 'told') continue;
      const { caller, process, key, now, at, reason } = entry;
      const lease = leases.of(caller, key);
      if (lease === undefined) continue;
      const leftMs = endOf(lease) - now;
      const early = leftMs > margin(lease) + ROUNDING_MS;
      const excused = (sleptAt.get(process) ?? -1) >= lease.fromAt || forgotten.some((when) => when >= lease.fromAt);
      const unfounded = reason === 'claim-gone' && (!lease.gone || (early && !excused));
      if (unfounded || (reason === 'lease-ended' && early)) {
        found.push(
          `at ${at.toFixed(1)} ms ${caller} was told (${reason}) that it lost ${key}, ${leftMs.toFixed(1)} ms early`,
        );
      }
    }
    return found;
  },
};
