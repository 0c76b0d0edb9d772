import { all, type Entry } from '../history.js';
import { timesForgotten } from './forgetting.js';
import { type Oracle } from './oracle.js';

/** How much of a lease may pass from one asking to the answer of the next, for the claim to have stayed in line. */
const SURELY_IN_LINE = 0.9;

/** An exclusive claim that waited without a gap, from when it was first known to be in line until it was in. */
interface Wait {
  readonly key: string;
  readonly claim: string;
  readonly from: number;
  readonly to: number;
}

/** A claim that came in, and when it first asked. */
interface Arrival {
  readonly key: string;
  readonly claim: string;
  readonly firstSentAt: number;
  readonly inAt: number;
}

/** First come, first served: nobody who first asks when another is known to be in line is in before that one. */
export const firstCome: Oracle = {
  name: 'first come',
  judge(history) {
    const { waits, arrivals } = waitsAndArrivals(history);
    return waits.flatMap((wait) =>
      arrivals
        .filter(({ key, claim, firstSentAt, inAt }) => {
          return key === wait.key && claim !== wait.claim && firstSentAt > wait.from && inAt < wait.to;
        })
        .map(({ claim, inAt }) => `at ${inAt.toFixed(1)} ms ${claim} came before ${wait.claim}, which was in line`),
    );
  },
};

function waitsAndArrivals(history: readonly Entry[]): { waits: readonly Wait[]; arrivals: readonly Arrival[] } {
  const troubles = troublesOf(history);
  const waits: Wait[] = [];
  const arrivals: Arrival[] = [];
  const firstSent = new Map<string, Entry<'sent'>>();
  const inLine = new Map<string, { from: number; askedAt: number; place: bigint | undefined }>();

  for (const entry of all(history, 'sent', 'answered', 'woken')) {
    const { claim, key, process, at } = entry;
    if (entry.event === 'sent') {
      if (entry.call === 'attempt' && entry.slots === 1 && !firstSent.has(claim)) firstSent.set(claim, entry);
      continue;
    }
    const { standing } = entry;
    const first = firstSent.get(claim);
    if (first === undefined || standing === undefined) continue;
    const wait = inLine.get(claim);
    if (!standing.held) {
      if (entry.event !== 'answered') continue;
      const stayed = wait !== undefined && at - wait.askedAt < SURELY_IN_LINE * first.leaseMs;
      inLine.set(claim, { from: stayed ? wait.from : at, askedAt: entry.sentAt, place: standing.place });
      continue;
    }
    // A wake may be late, about an earlier stay in line.
    if (entry.event === 'woken' && standing.place !== wait?.place) continue;
    arrivals.push({ key, claim, firstSentAt: first.at, inAt: at });
    const quiet =
      wait !== undefined && !troubles.of(process).some((when) => wait.from - first.leaseMs <= when && when <= at);
    if (quiet && at - wait.askedAt < SURELY_IN_LINE * first.leaseMs)
      waits.push({ key, claim, from: wait.from, to: at });
    inLine.delete(claim);
  }
  return { waits, arrivals };
}

/** When something befell a process, its way to the store, or the store. */
function troublesOf(history: readonly Entry[]): { of(process: string): readonly number[] } {
  const store = timesForgotten(history);
  const times = new Map<string, number[]>();
  for (const { process, at } of all(history, 'fault')) {
    if (process !== undefined) times.set(process, [...(times.get(process) ?? []), at]);
  }
  return { of: (process) => [...store, ...(times.get(process) ?? [])] };
}
