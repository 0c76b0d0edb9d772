import { all, type Entry } from '../history.js';
import { type Oracle } from './oracle.js';

const PATIENCE_MS = 5_000;

/** What a backend may rely on: calls of one claim do not overlap, and after the first withdrawal it is only withdrawn. */
export const keptContract: Oracle = {
  name: 'kept contract',
  judge(history) {
    const found: string[] = [];
    const withdrawn = new Set<string>();
    const closed = new Set<string>();
    const underWay = new Map<string, Entry<'sent'>>();
    for (const entry of all(history, 'sent', 'answered', 'failed', 'closed')) {
      const { process, at } = entry;
      const when = `at ${at.toFixed(1)} ms`;
      if (entry.event === 'closed') {
        closed.add(process);
        continue;
      }
      const { claim, call, now } = entry;
      if (entry.event !== 'sent') {
        if (underWay.get(claim)?.call === call) underWay.delete(claim);
        continue;
      }
      if (withdrawn.has(claim) && call !== 'withdraw') found.push(`${when} ${call} of ${claim} after its withdrawal`);
      if (closed.has(process) && call === 'attempt')
        found.push(`${when} ${process} asked a backend that it had closed`);
      if (call === 'withdraw') withdrawn.add(claim);
      // One that was not answered in time counts as lost. For a renewal it depends on what was left of the lease.
      const before = underWay.get(claim);
      if (before !== undefined && before.call !== 'renew') {
        const waitedMs = now - before.now;
        const tooSoon = waitedMs < Math.min(entry.leaseMs, PATIENCE_MS) - 0.001;
        if (tooSoon)
          found.push(
            `${when} ${call} of ${claim} while its ${before.call} of ${waitedMs.toFixed(1)} ms ago was under way`,
          );
      }
      underWay.set(claim, entry);
    }
    return found;
  },
};
