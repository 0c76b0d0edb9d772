import { type Claim } from '../../../lib/core/backend.js';
import { admitted, type Mistake } from './broken-backend.js';

/** Who gets into the line, and how often. */
export const joiningMistakes: readonly Mistake[] = [
  {
    name: 'a try that is refused stays in line',
    caughtBy: [
      'a try that is refused leaves no trace and does not disturb the holder',
      'a try while the key is held leaves no trace',
    ],
    changes: () => ({ claim: (claim) => ({ attempt: () => claim.attempt({ queue: true }) }) }),
  },
  {
    name: 'the last try of a claim that has waited leaves it in line',
    caughtBy: [
      'a last try takes a claim that has waited out of line',
      'a wait that is over is LockUnavailableError, not before its time, and leaves no trace',
    ],
    changes: () => ({
      claim: (claim) => {
        let waited = false;
        return {
          attempt: async ({ queue }) => {
            waited ||= queue;
            return claim.attempt({ queue: waited });
          },
        };
      },
    }),
  },
  {
    name: 'those who come at the same time are all let in',
    caughtBy: ['of claims that join at the same time one is in, and the others stand in one line'],
    changes: (sound) => ({
      claim: (claim, { key }) => ({
        attempt: async (options) => {
          const free = (await sound.store.inspect(key)).length === 0;
          await new Promise<void>((resolve) => void sound.clock.alarm(1, resolve));
          const standing = await claim.attempt(options);
          return standing.held || !free ? standing : admitted(sound, 1);
        },
      }),
    }),
  },
  {
    name: 'a try gives the holder the lease that it wanted for itself',
    caughtBy: ['a try that is refused leaves no trace and does not disturb the holder'],
    changes: ({ store }) => ({
      claim: (claim, { key, leaseMs }) => ({
        attempt: async (options) => {
          const standing = await claim.attempt(options);
          const [front] = await store.inspect(key);
          if (!standing.held) await store.claim({ key, id: front!.id, slots: 1, leaseMs }).renew();
          return standing;
        },
      }),
    }),
  },
  {
    name: 'a try that is let in does not stay in',
    caughtBy: ['a try that is let in stays in, whether it has waited or not'],
    changes: () => ({
      claim: (claim) => ({
        attempt: async (options) => {
          const standing = await claim.attempt(options);
          if (standing.held && !options.queue) await claim.withdraw();
          return standing;
        },
      }),
    }),
  },
  {
    name: 'a second attempt joins the line a second time',
    caughtBy: ['asking again is not joining again, for a holder or for a waiter'],
    changes: (sound) => ({
      claim: (_, request) => {
        const joined: Claim[] = [];
        return {
          attempt: async (options) => {
            if (joined.length < 2) joined.push(sound.store.claim({ ...request, id: `${request.id}#${joined.length}` }));
            return joined.at(-1)!.attempt(options);
          },
          renew: async () => (await joined.at(0)?.renew()) ?? false,
          withdraw: async () => {
            const left = await Promise.all(joined.map((claim) => claim.withdraw()));
            return left.includes(true);
          },
        };
      },
    }),
  },
  {
    name: 'a claim is known by its object and not by its id',
    caughtBy: ['a second object for the same request is the same claim'],
    changes: () => {
      let objects = 0;
      return {
        request: (request) => ({ ...request, id: `${request.id}#${(objects += 1)}` }),
        inspect: (places) => places.map((place) => ({ ...place, id: place.id.replace(/#.*/, '') })),
      };
    },
  },
  {
    name: 'every client has a store of its own',
    caughtBy: [
      'a second claim waits, whichever client it comes from, and is in once the first has left',
      'hostile keys are the same keys for all clients',
      'a contended counter loses no update, and its tokens rise',
    ],
    apart: true,
    changes: () => ({}),
  },
];
