import { type ClaimRequest } from '../../../lib/core/backend.js';
import { type Changes, isHeld, type Mistake } from './broken-backend.js';

/** What the fencing token is made of. */
export const placesMistakes: readonly Mistake[] = [
  {
    name: 'a place is given twice',
    caughtBy: ['places rise from each holder to the next, over all clients'],
    changes: () => withPlaces((place) => place & ~1n),
  },
  {
    name: 'sharers have one place',
    caughtBy: [
      'every sharer has a place of its own, in order of admission',
      'every sharer has a token of its own, in order of admission',
    ],
    changes: (sound) => ({
      claim: (claim, { key }) => ({
        attempt: async (options) => {
          const standing = await claim.attempt(options);
          const [front] = await sound.store.inspect(key);
          return standing.held ? { ...standing, place: front!.place! } : standing;
        },
      }),
    }),
  },
  {
    name: 'places begin anew with an empty line',
    caughtBy: [
      'places rise over an empty line, over all clients',
      'tokens rise over releases, hand-offs and an empty line',
    ],
    changes: (sound) => {
      const joined = new Map<string, string[]>();
      return {
        claim: (claim, { key, id }) => ({
          attempt: async (options) => {
            if ((await sound.store.inspect(key)).length === 0) joined.delete(key);
            const standing = await claim.attempt(options);
            const ids = joined.get(key) ?? [];
            joined.set(key, ids);
            if (!ids.includes(id)) ids.push(id);
            return standing.held ? { ...standing, place: BigInt(ids.indexOf(id) + 1) } : standing;
          },
        }),
      };
    },
  },
  {
    name: 'places begin anew when a lease has ended',
    caughtBy: ['places rise over a lease that ended'],
    changes: (sound) => {
      const held = new Map<string, ClaimRequest>();
      let fall = 0n;
      return {
        claim: (claim, request) => ({
          attempt: async (options) => {
            const last = held.get(request.key);
            if (last !== undefined && !(await isHeld(sound, last))) fall += 10n ** 9n;
            const standing = await claim.attempt(options);
            if (!standing.held) return standing;
            held.set(request.key, request);
            return { ...standing, place: standing.place - fall };
          },
          withdraw: async () => {
            if (held.get(request.key)?.id === request.id) held.delete(request.key);
            return claim.withdraw();
          },
        }),
      };
    },
  },
  {
    name: 'every question has a new place for its answer',
    caughtBy: [
      'a claim keeps its place while it is in line',
      'asking again is not joining again, for a holder or for a waiter',
    ],
    changes: () => {
      let asked = 0n;
      return withPlaces((place) => place + (asked += 1n));
    },
  },
  {
    name: 'a waiter is told a place that is not the one it will hold with',
    caughtBy: ['a claim keeps its place while it is in line'],
    changes: () => ({
      standing: (standing) => (standing.held ? standing : { ...standing, place: standing.place! + 1n }),
    }),
  },
  {
    name: 'a claim that comes back has its old place',
    caughtBy: ['a claim that asks after its lease has ended joins anew, at the back, with a new place'],
    changes: () => ({
      claim: (claim) => {
        let first: bigint | undefined;
        return {
          attempt: async (options) => {
            const standing = await claim.attempt(options);
            return standing.held ? { ...standing, place: (first ??= standing.place) } : standing;
          },
        };
      },
    }),
  },
  {
    name: 'places do not fit the fencing token',
    caughtBy: ['a place is a bigint from 1 up to 2^53 - 1', 'tokens rise over releases, hand-offs and an empty line'],
    changes: () => withPlaces((place) => place << 20n),
  },
  {
    name: 'a place is a number',
    caughtBy: ['a place is a bigint from 1 up to 2^53 - 1'],
    changes: () => withPlaces((place) => Number(place) as unknown as bigint),
  },
];

function withPlaces(change: (place: bigint) => bigint): Changes {
  return {
    standing: (standing) => (standing.place === undefined ? standing : { ...standing, place: change(standing.place) }),
  };
}
