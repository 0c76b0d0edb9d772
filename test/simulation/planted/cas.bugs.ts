import { type CasStore } from '../../../lib/cas/index.js';
import { leaseRule } from '../../../lib/cas/lease.rule.js';
import { casFamily, DRIFT } from '../families/cas.family.js';
import { type PlantedBug } from './planted-bug.js';

/** What is allowed for drift makes up for short delays, too: where clocks are nearly right, it is next to nothing. */
const NEARLY_RIGHT = 0.01;

const at = (instant: number): { sentAt: number; receivedAt: number } => ({ sentAt: instant, receivedAt: instant });

/** In what safety rests on where no clock is the store's. */
export const casBugs: readonly PlantedBug[] = [
  {
    name: 'no allowance for drift',
    caughtBy: 'belief overlap',
    family: casFamily({ driftRatio: 0 }),
  },
  {
    name: 'an allowance for half the drift',
    caughtBy: 'belief overlap',
    family: casFamily({ driftRatio: DRIFT / 2 }),
  },
  {
    name: 'an owner that counts from the reply',
    caughtBy: 'belief overlap',
    family: casFamily({
      drift: NEARLY_RIGHT,
      rule: { ...leaseRule, ownersEnd: ({ receivedAt }, ...rest) => leaseRule.ownersEnd(at(receivedAt), ...rest) },
    }),
  },
  {
    name: 'an observer that is too early: it counts from when it sent its question',
    caughtBy: 'belief overlap',
    // Where a question is long on its way, the beat is often written meanwhile; and the next one is in soon afterwards.
    family: {
      ...casFamily({
        drift: NEARLY_RIGHT,
        through: readsSlowly,
        rule: { ...leaseRule, othersEnd: ({ sentAt }, ...rest) => leaseRule.othersEnd(at(sentAt), ...rest) },
      }),
      latenciesMs: [0, 200],
      leasesMs: [1_000],
    },
  },
  {
    name: 'an observer that drops a claim without looking whether its beat still stands',
    caughtBy: 'belief overlap',
    family: casFamily({ through: writesBlindly }),
  },
];

/** Puts what it wants over whatever is there. */
function writesBlindly(store: CasStore): CasStore {
  const blind: CasStore = Object.create(store);
  blind.write = async (key, next, expected) => {
    const written = await store.write(key, next, expected);
    return written.ok || written.current === null ? written : store.write(key, next, written.current.version);
  };
  return blind;
}

/** As long as five questions. */
function readsSlowly(store: CasStore): CasStore {
  const slow: CasStore = Object.create(store);
  slow.read = async (key) => {
    for (let before = 0; before < 4; before += 1) await store.read(key);
    return store.read(key);
  };
  return slow;
}
