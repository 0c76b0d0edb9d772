import { type Claim, type Standing } from '../../../lib/core/backend.js';
import { type Changes, evict, isHeld, type Mistake } from './broken-backend.js';

const FOR_EVER = 2 ** 31 - 1;

/** How silence ends a claim. */
export const leasesMistakes: readonly Mistake[] = [
  {
    name: 'a lease never ends',
    caughtBy: [
      'a silent holder is out when its lease has ended, and not sooner',
      'a silent waiter holds up the line until its lease has ended, and not for ever',
      'a silent sharer gives its slot back without touching the others',
      'a lease ends even when nobody else comes',
      'whoever is cut off stops believing before the next one is let in',
    ],
    changes: () => withLease(() => FOR_EVER),
  },
  {
    name: 'a lease ends early',
    caughtBy: [
      'a silent holder is out when its lease has ended, and not sooner',
      'a silent waiter holds up the line until its lease has ended, and not for ever',
      'a silent sharer gives its slot back without touching the others',
      'whoever is cut off stops believing before the next one is let in',
    ],
    changes: () => withLease((leaseMs) => leaseMs * 0.8),
  },
  {
    name: 'the lease of a waiter never ends',
    caughtBy: ['a silent waiter holds up the line until its lease has ended, and not for ever'],
    changes: ({ store }) => ({
      claim: (claim, request) => {
        const immortal = store.claim({ ...request, leaseMs: FOR_EVER });
        return {
          attempt: async (options) => {
            const standing = await immortal.attempt(options);
            return standing.held ? claim.attempt(options) : standing;
          },
        };
      },
    }),
  },
  {
    name: 'asking does not keep a waiter alive',
    caughtBy: ['asking keeps holders and waiters in line past their lease'],
    changes: ({ store }) => ({
      claim: (claim, { key, id }) => ({
        attempt: async (options) => {
          const line = await store.inspect(key);
          const ahead = line.findIndex((place) => place.id === id);
          if (ahead < 0 || line[ahead]!.held || !options.queue) return claim.attempt(options);
          return { held: false, ahead, askAgainMs: 50 };
        },
      }),
    }),
  },
  {
    name: 'asking does not keep a holder alive',
    caughtBy: ['asking keeps holders and waiters in line past their lease'],
    changes: ({ store }) => ({
      claim: (claim, { key, id }) => {
        let told: Standing | undefined;
        return {
          attempt: async (options) => {
            const held = (await store.inspect(key)).some((place) => place.id === id && place.held);
            if (!held || !told?.held) told = await claim.attempt(options);
            return told;
          },
        };
      },
    }),
  },
  {
    name: 'asking keeps the holder alive',
    caughtBy: ['a silent holder is out when its lease has ended, and not sooner'],
    changes: () => {
      const holders = new Map<string, Claim>();
      return {
        claim: (claim, { key }) => ({
          attempt: async (options) => {
            await holders.get(key)?.renew();
            const standing = await claim.attempt(options);
            if (standing.held) holders.set(key, claim);
            return standing;
          },
        }),
      };
    },
  },
  {
    name: 'the whole line ends with the lease of one in it',
    caughtBy: ['a silent waiter is out of line when its lease has ended, and leaves the others as they are'],
    changes: (sound) => {
      const waiting = new Map<string, Set<string>>();
      return {
        claim: (claim, { key, id }) => ({
          attempt: async (options) => {
            const waiters = waiting.get(key) ?? new Set();
            waiting.set(key, waiters);
            const line = (await sound.store.inspect(key)).map((place) => place.id);
            if ([...waiters].some((waiter) => !line.includes(waiter))) {
              for (const each of line) await evict(sound, key, each);
              waiters.clear();
            }
            const standing = await claim.attempt(options);
            if (!standing.held && options.queue) waiters.add(id);
            return standing;
          },
          withdraw: async () => {
            waiting.get(key)?.delete(id);
            return claim.withdraw();
          },
        }),
      };
    },
  },
  {
    name: 'a lease ends only when somebody else comes',
    caughtBy: ['a lease ends even when nobody else comes'],
    changes: ({ store }) => {
      const immortal = new Map<string, Claim>();
      return {
        claim: (claim, request) => {
          const forEver = store.claim({ ...request, leaseMs: FOR_EVER });
          return {
            attempt: async (options) => {
              const alone = (await store.inspect(request.key)).every(({ id }) => id === request.id);
              if (alone) immortal.set(request.key, claim);
              else if (immortal.get(request.key) !== claim) await immortal.get(request.key)?.renew();
              return (alone ? forEver : claim).attempt(options);
            },
          };
        },
      };
    },
  },
  {
    name: 'a claim that comes back before anybody else has its old place',
    caughtBy: ['a lease ends even when nobody else comes'],
    changes: () => {
      const last = new Map<string, { readonly id: string; readonly place: bigint }>();
      return {
        claim: (claim, { key, id }) => ({
          attempt: async (options) => {
            const standing = await claim.attempt(options);
            if (!standing.held) return standing;
            if (last.get(key)?.id !== id) last.set(key, { id, place: standing.place });
            return { ...standing, place: last.get(key)!.place };
          },
        }),
      };
    },
  },
  {
    name: 'a renewal does not keep a holder in',
    caughtBy: ['renewals keep a holder in past its lease', 'a lock is renewed past its lease, and its token stays'],
    changes: (sound) => ({ claim: (_, request) => ({ renew: () => isHeld(sound, request) }) }),
  },
  {
    name: 'a renewal revives the dead',
    caughtBy: [
      'a claim whose lease has ended cannot be renewed or withdrawn, and takes nothing from the next',
      'a lease ends even when nobody else comes',
      'a lock whose claim is gone is lost at the next renewal',
    ],
    changes: () => ({
      claim: (claim) => ({
        renew: async () => (await claim.renew()) || (await claim.attempt({ queue: true })) !== undefined,
      }),
    }),
  },
  {
    name: 'a renewal always says yes',
    caughtBy: [
      'a claim whose lease has ended cannot be renewed or withdrawn, and takes nothing from the next',
      'a lease ends even when nobody else comes',
      'run tells that the lock was lost while the body ran, unless loss is to be ignored',
    ],
    changes: () => ({ claim: (claim) => ({ renew: async () => (await claim.renew()) || true }) }),
  },
  {
    name: 'a claim whose lease ends takes its sharers with it',
    caughtBy: ['a silent sharer gives its slot back without touching the others'],
    changes: (sound) => {
      const held = new Map<string, Set<string>>();
      return {
        claim: (claim, { key, id }) => ({
          attempt: async (options) => {
            const holders = held.get(key) ?? new Set();
            held.set(key, holders);
            const line = new Set((await sound.store.inspect(key)).map((place) => place.id));
            if ([...holders].some((holder) => !line.has(holder))) {
              for (const holder of holders) await evict(sound, key, holder);
              holders.clear();
            }
            const standing = await claim.attempt(options);
            if (standing.held) holders.add(id);
            return standing;
          },
          withdraw: async () => {
            held.get(key)?.delete(id);
            return claim.withdraw();
          },
        }),
      };
    },
  },
  {
    name: 'a lease is told to be shorter than it is',
    caughtBy: ['the lease that was given is told, and how much of it is left'],
    changes: () => ({
      standing: (standing) => (standing.held ? { ...standing, leaseMs: standing.leaseMs / 2 } : standing),
    }),
  },
  {
    name: 'the end of a lease is told instead of what is left of it',
    caughtBy: ['the lease that was given is told, and how much of it is left'],
    changes: ({ clock }) => ({
      inspect: (line) => line.map((place) => ({ ...place, leaseLeftMs: clock.wall() + place.leaseLeftMs })),
    }),
  },
];

function withLease(change: (leaseMs: number) => number): Changes {
  return {
    request: (request) => ({ ...request, leaseMs: change(request.leaseMs) }),
    standing: (standing, { leaseMs }) => (standing.held ? { ...standing, leaseMs } : standing),
  };
}
