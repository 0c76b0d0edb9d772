import { type Entry } from '../history.js';
import { timesForgotten } from './forgetting.js';
import { Leases } from './leases.js';
import { type Oracle } from './oracle.js';

type Look = Entry<'looked'>;

/**
 * P1: no two believe at one instant that they hold a key which they may not share. Within bounds: a store that has
 * forgotten what it granted takes those by surprise who were granted it, for no longer than their lease.
 */
export const beliefOverlap: Oracle = {
  name: 'belief overlap',
  judge(history) {
    const forgotten = timesForgotten(history);
    const leases = new Leases();
    const found: string[] = [];
    // The last look of each in this step, and not of those who have given back meanwhile.
    const looks = new Map<string, Look>();
    let step = -1;

    const surprised = ({ caller, key, at }: Look): boolean => {
      const { leaseMs = 0 } = leases.of(caller, key) ?? {};
      return forgotten.some((when) => when <= at && at <= when + 1.1 * leaseMs);
    };
    const judge = (): void => {
      for (const [key, believers] of byKey([...looks.values()].filter(({ held }) => held))) {
        if (believers.every(({ slots }) => slots >= believers.length) || believers.some(surprised)) continue;
        const who = believers.map(({ caller, process, slots }) => `${caller} of ${process} (slots ${slots})`);
        found.push(`at ${believers[0]!.at.toFixed(1)} ms ${key} is believed to be held by ${who.join(' and ')}`);
      }
      looks.clear();
    };

    for (const entry of history) {
      if (entry.step !== step) judge();
      step = entry.step;
      leases.note(entry);
      if (entry.event === 'looked') looks.set(`${entry.caller} ${entry.key}`, entry);
      if (entry.event === 'givenBack') {
        for (const [id, { caller }] of looks) if (caller === entry.caller) looks.delete(id);
      }
    }
    judge();
    return found;
  },
};

function byKey(looks: readonly Look[]): Map<string, Look[]> {
  const keys = new Map<string, Look[]>();
  for (const look of looks) keys.set(look.key, [...(keys.get(look.key) ?? []), look]);
  return keys;
}
