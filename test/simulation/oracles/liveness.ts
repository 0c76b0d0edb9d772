import { all, type Entry } from '../history.js';
import { type Oracle } from './oracle.js';

/** How long any call is waited for. A wait may end in one, and what was waited for be in doubt. */
const PATIENCE_MS = 5_000;
/** How many ways to the store and back three keys may take, one after the other, each with its conflicts; and then some. */
const ROUND_TRIPS = 80;
const MOMENT_MS = 400;
/** Alarms and clocks that go wrong. */
const INEXACT = 1.06;

/** Every call is answered in time, and once all is well, whoever waits for as long as it takes is let in. */
export const liveness: Oracle = {
  name: 'liveness',
  judge(history) {
    const found = all(history, 'unsettled', 'broke').map((entry) =>
      entry.event === 'broke' ? entry.text : `${entry.caller} has not settled`,
    );
    const asked = new Map(all(history, 'asked').map((entry) => [entry.caller, entry]));
    const frozen = wakings(history);
    const latency = new Map(all(history, 'started').map(({ process, latencyMs }) => [process, latencyMs]));
    for (const { caller, at, ...rest } of answers(history)) {
      const { waitMs, calm, process, at: from } = asked.get(caller)!;
      const lateMs = at - from - INEXACT * waitMs;
      const ran = !(frozen.get(process) ?? []).some((when) => when >= from && when <= at);
      if (ran && lateMs > (calm ? MOMENT_MS + ROUND_TRIPS * latency.get(process)! : 2 * PATIENCE_MS)) {
        found.push(`${caller} was answered ${lateMs.toFixed(1)} ms too late`);
      }
      if (rest.event === 'aborted' && ran && rest.lateMs > 0) {
        found.push(`${caller} was told of its abort ${rest.lateMs.toFixed(1)} ms later`);
      }
    }
    return found;
  },
};

/** The first answer that each caller was given. */
function answers(history: readonly Entry[]): Entry<'given' | 'refused' | 'aborted'>[] {
  const seen = new Set<string>();
  return all(history, 'given', 'refused', 'aborted').filter(({ caller }) => {
    if (seen.has(caller)) return false;
    seen.add(caller);
    return true;
  });
}

function wakings(history: readonly Entry[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { process, at } of all(history, 'woke')) times.set(process, [...(times.get(process) ?? []), at]);
  return times;
}
