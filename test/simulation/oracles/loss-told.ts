import { MOST_LATE_MS } from '../kernel/machine.js';
import { type Entry } from '../history.js';
import { endOf, Leases } from './leases.js';
import { type Oracle } from './oracle.js';

const SLACK_MS = MOST_LATE_MS + 0.6;

/**
 * A loss is told by the end of the lease, whatever hangs; or where the process could not run then, as soon as it runs. And a
 * lock never says that it is held when its signal has aborted.
 */
export const lossTold: Oracle = {
  name: 'loss told',
  judge(history) {
    const leases = new Leases();
    const wokeNow = new Map<string, number>();
    const ended = new Set<string>();
    const found: string[] = [];
    for (const entry of history) {
      if (entry.event === 'woke') wokeNow.set(entry.process, entry.now);
      if (entry.event === 'givenBack') ended.add(entry.caller);
      if (entry.event === 'looked' || (entry.event === 'told' && entry.reason === 'lease-ended')) {
        const { caller, process, key, now, at } = entry;
        const lease = leases.of(caller, key);
        const first = !ended.has(`${caller} ${key}`);
        const lateMs = lease === undefined ? 0 : now - Math.max(endOf(lease), wokeNow.get(process) ?? 0);
        const untold = entry.event === 'told' || !entry.told;
        if (!ended.has(caller) && first && untold && lateMs > SLACK_MS) {
          found.push(
            `at ${at.toFixed(1)} ms ${caller} had not been told for ${lateMs.toFixed(1)} ms that it lost ${key}`,
          );
        }
        if (entry.event === 'told') ended.add(`${caller} ${key}`);
      }
      if (entry.event === 'looked') found.push(...contradictions(entry));
      leases.note(entry);
    }
    return found;
  },
};

/** Clocks that were moved apart make a lock suspect, and no more. Otherwise it is lost, for good, and that is told. */
function contradictions({ caller, key, held, told, at }: Entry<'looked'>): string[] {
  return held && told ? [`at ${at.toFixed(1)} ms ${caller} is told that it lost ${key}, and that it holds it`] : [];
}
