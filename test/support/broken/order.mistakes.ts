import { type Claim, type ClaimRequest } from '../../../lib/core/backend.js';
import { admitted, type Changes, isHeld, type Mistake, type Sound } from './broken-backend.js';

/** Who is in. */
export const orderMistakes: readonly Mistake[] = [
  {
    name: 'there is room for one more than allowed',
    caughtBy: [
      'a second claim waits, whichever client it comes from, and is in once the first has left',
      'a key can be claimed again as soon as it was left, time and again',
      'a contended counter loses no update, and its tokens rise',
      'a key that is held is refused to every other caller, and free again once it is released',
    ],
    changes: () => withSlots((slots) => slots + 1),
  },
  {
    name: 'a semaphore has room for one more than allowed',
    caughtBy: [
      'a limit of n lets n in and no more, and one more for each that leaves',
      'a limit of n is reached, and never passed',
      'two contended counters under two keys lose no update',
    ],
    changes: () => withSlots((slots) => (slots > 1 ? slots + 1 : slots)),
  },
  {
    name: 'a semaphore lets one in, whatever its limit',
    caughtBy: [
      'a limit of n lets n in and no more, and one more for each that leaves',
      'a limit of n is reached, and never passed',
    ],
    changes: () => withSlots((slots) => (slots === Infinity ? slots : 1)),
  },
  {
    name: 'readers exclude each other',
    caughtBy: [
      'readers share the key, and a writer waits for all of them',
      'readers that waited for a writer come in together',
      'a waiting writer that leaves lets the readers behind it in',
      'readers share, a waiting writer stops later readers, and each has its own token',
    ],
    changes: () => withSlots((slots) => (slots === Infinity ? 1 : slots)),
  },
  {
    name: 'limits are counted in 32 bits with sign',
    caughtBy: ['a limit can be as large as 2^31 - 1'],
    changes: () => withSlots((slots) => (slots === Infinity ? slots : ((slots + 1) | 0) - 1)),
  },
  {
    name: 'a claim looks at its own limit only',
    caughtBy: [
      'claims that disagree about the limit are held to the smallest',
      'whatever joins and leaves, those are in that the rule lets in',
    ],
    changes: (sound) => ({
      claim: (claim, { slots }) => ({
        attempt: async (options) => {
          const standing = await claim.attempt({ queue: true });
          if (standing.held) return standing;
          if (standing.ahead < slots) return admitted(sound, slots);
          return options.queue ? standing : claim.attempt(options);
        },
      }),
    }),
  },
  {
    name: 'the last to come is the first to be let in',
    caughtBy: [
      'claims come in in the order in which they joined, however often the others ask',
      'without local hand-offs all callers of all managers are served in order',
    ],
    changes: (sound) => overtaking(sound, () => true),
  },
  {
    name: 'a reader overtakes a writer that waits',
    caughtBy: [
      'a waiting writer stops the readers that come after it',
      'whatever joins and leaves, those are in that the rule lets in',
      'readers share, a waiting writer stops later readers, and each has its own token',
    ],
    changes: (sound) => overtaking(sound, (newcomer, waiter) => newcomer.slots === Infinity && waiter.slots === 1),
  },
  {
    name: 'whoever asks again goes to the back of the line',
    caughtBy: ['claims come in in the order in which they joined, however often the others ask'],
    changes: (sound) => ({
      claim: (claim, request) => ({
        attempt: async (options) => {
          if (!(await isHeld(sound, request))) await claim.withdraw();
          return claim.attempt(options);
        },
      }),
    }),
  },
  {
    name: 'a claim counts only the holders ahead of it',
    caughtBy: ['a claim tells how many stand ahead of it and how many wait behind'],
    changes: () => ({ standing: (standing, { slots }) => (standing.held ? standing : { ...standing, ahead: slots }) }),
  },
  {
    name: 'a holder never knows that somebody waits',
    caughtBy: ['a claim tells how many stand ahead of it and how many wait behind'],
    changes: () => ({ standing: (standing) => (standing.held ? { ...standing, waiting: 0 } : standing) }),
  },
];

function withSlots(change: (slots: number) => number): Changes {
  return { request: (request) => ({ ...request, slots: change(request.slots) }) };
}

/** A newcomer stands ahead of those who wait and whom it may overtake. */
function overtaking(sound: Sound, mayOvertake: (newcomer: ClaimRequest, waiter: ClaimRequest) => boolean): Changes {
  const waiting = new Map<ClaimRequest, Claim>();
  return {
    claim: (claim, request) => ({
      attempt: async (options) => {
        const overtaken: Claim[] = [];
        if (!waiting.has(request) && options.queue) {
          for (const [other, otherClaim] of waiting) {
            if (other.key !== request.key || !mayOvertake(request, other) || (await isHeld(sound, other))) continue;
            if (await otherClaim.withdraw()) overtaken.push(otherClaim);
          }
          waiting.set(request, claim);
        }
        const standing = await claim.attempt(options);
        for (const other of overtaken.toReversed()) await other.attempt({ queue: true });
        return standing;
      },
      withdraw: async () => {
        waiting.delete(request);
        return claim.withdraw();
      },
    }),
  };
}
