import { evict, isHeld, type Mistake } from './broken-backend.js';

const OF_A_HOLDER = 'an evicted holder is out, knows it when it asks, and the next one is in with a larger place';
const OF_A_WAITER = 'an evicted waiter is out, and does not join anew';
const ONCE = 'evicting is done once, and whoever is not in line is not evicted';
const OF_A_SHARER = 'an evicted sharer gives back its own slot';
const OF_A_LOCK = 'a lock that is forced away is lost for that reason, and the next token is larger';

/** How a claim is taken out of the line by somebody else. */
export const evictingMistakes: readonly Mistake[] = [
  {
    name: 'whoever is evicted stays in line',
    caughtBy: [OF_A_HOLDER, OF_A_WAITER, OF_A_SHARER, OF_A_LOCK],
    changes: ({ store }) => ({
      evict: async (key, id) => (await store.inspect(key)).some((place) => place.id === id),
    }),
  },
  {
    name: 'only holders are evicted',
    caughtBy: [OF_A_WAITER],
    changes: (sound) => ({
      evict: async (key, id) => {
        const held = await isHeld(sound, { key, id, slots: 1, leaseMs: 1 });
        return held && sound.store.evict(key, id);
      },
    }),
  },
  {
    name: 'whoever was evicted is not told, and joins anew',
    caughtBy: [OF_A_HOLDER, OF_A_WAITER, 'a waiter that is forced away is told so, and those behind it stay'],
    changes: (sound) => ({ evict: (key, id) => evict(sound, key, id) }),
  },
  {
    name: 'whoever was evicted is told that its claim is gone, and not why',
    caughtBy: [OF_A_HOLDER, OF_A_LOCK],
    changes: () => ({ claim: (claim) => ({ renew: async () => (async () => claim.renew())().catch(() => false) }) }),
  },
  {
    name: 'whoever was evicted withdraws as if it had been in line',
    caughtBy: [OF_A_HOLDER, OF_A_WAITER],
    changes: () => ({ claim: (claim) => ({ withdraw: async () => (await claim.withdraw(), true) }) }),
  },
  {
    name: 'an eviction is always said to have been done',
    caughtBy: [ONCE],
    changes: ({ store }) => ({ evict: async (key, id) => (await store.evict(key, id), true) }),
  },
  {
    name: 'the front is evicted, whoever was meant',
    caughtBy: [OF_A_WAITER, ONCE],
    changes: ({ store }) => ({
      evict: async (key) => {
        const [front] = await store.inspect(key);
        return front !== undefined && store.evict(key, front.id);
      },
    }),
  },
  {
    name: 'all sharers are evicted together',
    caughtBy: [OF_A_SHARER],
    changes: ({ store }) => ({
      evict: async (key) => {
        const held = (await store.inspect(key)).filter((place) => place.held);
        for (const { id } of held) await store.evict(key, id);
        return held.length > 0;
      },
    }),
  },
  {
    name: 'whoever comes in by an eviction has the place of the one before',
    caughtBy: [OF_A_HOLDER, 'whoever joins after an eviction has a larger place, over an empty line too'],
    changes: ({ store }) => {
      let evictedPlace: bigint | undefined;
      return {
        evict: async (key, id) => {
          evictedPlace ??= (await store.inspect(key)).find((place) => place.id === id)?.place;
          return store.evict(key, id);
        },
        standing: (standing) =>
          standing.held && evictedPlace !== undefined ? { ...standing, place: evictedPlace } : standing,
      };
    },
  },
  {
    name: 'whoever comes in by an eviction is not woken',
    caughtBy: ['whoever comes in by an eviction is woken'],
    changes: ({ store }) => {
      let evicting = false;
      return {
        claim: (claim) => ({ watch: (wake) => claim.watch!((standing) => void (evicting || wake(standing))) }),
        evict: async (key, id) => {
          evicting = true;
          const evicted = store.evict(key, id);
          evicting = false;
          return evicted;
        },
      };
    },
  },
];
