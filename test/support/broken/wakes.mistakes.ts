import { type Standing } from '../../../lib/core/backend.js';
import { type Mistake } from './broken-backend.js';

const YIELDS = 'a holder that yields is woken when another waits behind it, and not while none does';
const YIELDS_LATER = 'a holder that yields, and has waited itself, is woken when another waits behind it';

const FOR_EVER = 2 ** 31 - 1;

/** How waiters are told. */
export const wakesMistakes: readonly Mistake[] = [
  {
    name: 'a wake that is lost is never made up for',
    caughtBy: [
      'whoever waits is told when to ask again, and is in line until then',
      'waiting works when every wake is lost',
    ],
    changes: () => ({
      standing: (standing) => (standing.held ? standing : { ...standing, askAgainMs: FOR_EVER }),
    }),
  },
  {
    name: 'nobody is ever woken',
    caughtBy: ['a waiter is woken when it comes in'],
    changes: () => ({ claim: () => ({ watch: () => () => undefined }) }),
  },
  {
    name: 'whoever waits is to ask without a pause',
    caughtBy: ['whoever waits is told when to ask again, and is in line until then'],
    changes: () => ({ standing: (standing) => (standing.held ? standing : { ...standing, askAgainMs: 0 }) }),
  },
  {
    name: 'every question wakes all who wait',
    caughtBy: ['asking in line wakes nobody, nor does a try that is refused'],
    changes: ({ clock }) => {
      const watchers = new Set<() => void>();
      return {
        claim: (claim) => ({
          attempt: async (options) => {
            const standing = await claim.attempt(options);
            for (const wake of watchers) clock.alarm(1, wake);
            return standing;
          },
          watch: (wake) => {
            const bare = (): void => wake();
            const stop = claim.watch!(wake);
            watchers.add(bare);
            return () => {
              watchers.delete(bare);
              stop();
            };
          },
        }),
      };
    },
  },
  {
    name: 'a holder that yields is not told who joins',
    caughtBy: [YIELDS, YIELDS_LATER],
    changes: () => ({ request: ({ yields: _yields, ...request }) => request }),
  },
  {
    name: 'a holder that yields is told who joins only if it came in at once',
    caughtBy: [YIELDS_LATER],
    changes: () => ({
      claim: (claim) => {
        let waited = false;
        let held = false;
        return {
          attempt: async (options) => {
            const standing = await claim.attempt(options);
            held = standing.held;
            waited ||= !held;
            return standing;
          },
          watch: (wake) => claim.watch!((standing) => void ((waited && held) || wake(standing))),
        };
      },
    }),
  },
  {
    name: 'a holder that yields is woken whenever it is kept',
    caughtBy: [YIELDS],
    changes: () => ({
      claim: (claim, { yields }) => {
        let wake: (() => void) | undefined;
        return {
          renew: async () => {
            if (yields) wake?.();
            return claim.renew();
          },
          watch: (given) => {
            wake = () => given();
            return claim.watch!(given);
          },
        };
      },
    }),
  },
  {
    name: 'a holder that yields is told that nobody waits',
    caughtBy: [YIELDS, YIELDS_LATER],
    changes: () => ({
      claim: (claim) => ({
        watch: (wake) => claim.watch!((standing) => wake(standing?.held ? { ...standing, waiting: 0 } : standing)),
      }),
    }),
  },
  {
    name: 'all who wait are told that they are in when one is',
    caughtBy: [
      'a wake says that a claim is in only when it is',
      'a contended counter loses no update, and its tokens rise',
    ],
    changes: (sound) => {
      const watchers = new Map<string, (standing: Standing) => void>();
      return {
        claim: (claim, { key, id }) => ({
          withdraw: async () => {
            const left = await claim.withdraw();
            for (const { id, place } of await sound.store.inspect(key)) {
              watchers.get(id)?.({ held: true, place: place!, leaseMs: 10_000, waiting: 1 });
            }
            return left;
          },
          watch: (wake) => {
            watchers.set(id, wake);
            return () => void watchers.delete(id);
          },
        }),
      };
    },
  },
  {
    name: 'only who was first in line is woken',
    caughtBy: ['whoever comes in is woken, whatever let it in'],
    changes: ({ store }) => ({
      claim: (claim, { key, id }) => ({
        watch: (wake) =>
          claim.watch!((standing) => {
            void store.inspect(key).then(([front]) => front?.id === id && wake(standing));
          }),
      }),
    }),
  },
  {
    name: 'ending one watch ends those of the whole client',
    caughtBy: ['a watch that has ended wakes nobody, and ends no other'],
    changes: () => {
      const stops = new Set<() => void>();
      return {
        claim: (claim) => ({
          watch: (wake) => {
            stops.add(claim.watch!(wake));
            return () => stops.forEach((stop) => stop());
          },
        }),
      };
    },
  },
  {
    name: 'a watch cannot be ended',
    caughtBy: ['a watch that has ended wakes nobody, and ends no other'],
    changes: () => ({
      claim: (claim) => ({
        watch: (wake) => {
          void claim.watch!(wake);
          return () => undefined;
        },
      }),
    }),
  },
];
