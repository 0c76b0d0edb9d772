import { type Claim } from '../../../lib/core/backend.js';
import { evict, isHeld, type Mistake } from './broken-backend.js';

/** Who may leave, and who goes with it. */
export const leavingMistakes: readonly Mistake[] = [
  {
    name: 'a withdrawal does not ask whose claim it is',
    caughtBy: [
      'a claim that never joined withdraws nobody',
      'a holder that withdraws again does not take the next holder with it',
      'a claim whose lease has ended cannot be renewed or withdrawn, and takes nothing from the next',
    ],
    changes: (sound) => ({
      claim: (claim, { key }) => ({
        withdraw: async () => {
          if (await claim.withdraw()) return true;
          const [front] = await sound.store.inspect(key);
          return front !== undefined && evict(sound, key, front.id);
        },
      }),
    }),
  },
  {
    name: 'a waiter that withdraws takes the holder with it',
    caughtBy: ['a waiter that withdraws leaves the holder in', 'a waiter that aborts makes room for the one behind it'],
    changes: (sound) => ({
      claim: (claim, request) => ({
        withdraw: async () => {
          const [front] = await sound.store.inspect(request.key);
          const waits = front !== undefined && !(await isHeld(sound, request));
          if (!(await claim.withdraw())) return false;
          if (waits) await evict(sound, request.key, front.id);
          return true;
        },
      }),
    }),
  },
  {
    name: 'a waiter that withdraws stays in line',
    caughtBy: [
      'withdrawing is done once, and told apart from having left before',
      'whoever leaves the line, wherever it stood, lets those behind move up in order',
      'an aborted wait rejects with the reason of the signal and leaves no trace',
    ],
    changes: (sound) => ({
      claim: (claim, request) => ({ withdraw: async () => !(await isHeld(sound, request)) || claim.withdraw() }),
    }),
  },
  {
    name: 'a withdrawal leaves a record behind',
    caughtBy: ['a claim on a free key is in at once', 'run hands out what the body returns, and has released by then'],
    changes: () => {
      const records = new Set<string>();
      return {
        claim: (claim, { id }) => ({
          withdraw: async () => {
            records.add(id);
            return claim.withdraw();
          },
        }),
        residue: () => records.size,
      };
    },
  },
  {
    name: 'a withdrawal always says that it did something',
    caughtBy: ['withdrawing is done once, and told apart from having left before'],
    changes: () => ({ claim: (claim) => ({ withdraw: async () => (await claim.withdraw()) || true }) }),
  },
  {
    name: 'a withdrawal overtakes the attempt before it',
    caughtBy: ['a withdrawal that follows an attempt without waiting for its answer leaves nothing behind'],
    changes: ({ clock }) => ({
      claim: (claim) => ({
        attempt: async (options) => {
          await new Promise<void>((resolve) => void clock.alarm(1, resolve));
          return claim.attempt(options);
        },
      }),
    }),
  },
  {
    name: 'leaving one key leaves all keys of the client',
    caughtBy: [
      'two keys of one client have nothing to do with each other',
      'several keys are had together or not at all',
    ],
    changes: () => {
      const claims = new Set<Claim>();
      return {
        claim: (claim) => ({
          attempt: async (options) => {
            claims.add(claim);
            return claim.attempt(options);
          },
          withdraw: async () => {
            const left = await claim.withdraw();
            for (const other of claims) await other.withdraw();
            claims.clear();
            return left;
          },
        }),
      };
    },
  },
  {
    name: 'a withdrawal leaves every key on which the id is known',
    caughtBy: ['the same id on two keys is two claims'],
    changes: (sound) => ({
      claim: (claim, { id }) => ({
        withdraw: async () => {
          const left = await claim.withdraw();
          for await (const key of sound.store.list()) await evict(sound, key, id);
          return left;
        },
      }),
    }),
  },
];
