import { type LockBackend, type Standing } from '../../../lib/core/index.js';
import { Hold } from '../../../lib/core/hold.js';
import { HeldLock } from '../../../lib/core/held-lock.js';
import { LocalLine } from '../../../lib/core/local-line.js';
import { momentOf } from '../../../lib/core/moment.js';
import { Pursuit } from '../../../lib/core/pursuit.js';
import { Tenancies } from '../../../lib/core/tenancies.js';
import { Turnstile } from '../../../lib/core/turnstile.js';
import { memoryFamily } from '../families/memory.family.js';
import { type PlantedBug, replaceGetter, replaceMethod } from './planted-bug.js';

const family = memoryFamily();

/** In the core: the same whatever the backend, and so tried on the reference. */
export const coreBugs: readonly PlantedBug[] = [
  {
    name: 'a lease without a margin for drift',
    caughtBy: 'belief overlap',
    byNoOther: true,
    family: memoryFamily(withoutMargin),
  },
  {
    name: 'a deadline that counts from the reply',
    caughtBy: 'belief overlap',
    family,
    plant: () =>
      replaceMethod(Hold.prototype, 'renewed', (right) => {
        return function (this: never) {
          return right.call(this, momentOf(coreOf(this).context.clock) as never);
        };
      }),
  },
  {
    name: 'a machine that slept goes on believing',
    caughtBy: 'belief overlap',
    family,
    plant: () =>
      replaceGetter(Hold.prototype, 'remainingMs', function (this: never) {
        const { context, deadline, over } = coreOf(this);
        return over ? 0 : Math.max(0, deadline - context.clock.now());
      }),
  },
  {
    name: 'a loss that is told only when somebody looks, or a renewal fails',
    caughtBy: 'loss told',
    byNoOther: true,
    family,
    plant: () =>
      replaceMethod(Hold.prototype, 'tendAt', (right) => {
        return function (this: never, instant: never) {
          const hold = coreOf(this);
          if (hold.renewing === undefined || instant < hold.deadline) right.call(this, instant);
          else hold.context.timers.cancel(hold.timer);
        };
      }),
  },
  {
    name: 'a renewal that fails is taken for a loss',
    caughtBy: 'no false loss',
    byNoOther: true,
    family,
    plant: () =>
      replaceMethod(Hold.prototype, 'renewalFailed', () => {
        return function (this: never) {
          coreOf(this).lose('claim-gone');
        };
      }),
  },
  {
    name: 'a lost wake is not made up for by asking again',
    caughtBy: 'liveness',
    byNoOther: true,
    family,
    plant: () =>
      replaceMethod(Pursuit.prototype, 'pauseMs', () => {
        return function () {
          return 1e9;
        };
      }),
  },
  {
    name: 'whoever is aborted while waiting leaves its claim in line',
    caughtBy: 'residue',
    byNoOther: true,
    family,
    plant: () =>
      replaceMethod(Pursuit.prototype, 'leave', () => {
        return async function () {};
      }),
  },
  {
    name: 'a fencing token that is read when it is used, and is then that of the next holder',
    caughtBy: 'accepted writes',
    byNoOther: true,
    family,
    plant: () =>
      replaceGetter(HeldLock.prototype, 'fencingTokens', function (this: HeldLock) {
        const { hold, keys } = this;
        return new Map([[keys[0]!, (hold.place << 10n) | BigInt(hold.handOffs)]]);
      }),
  },
  {
    name: 'hand-offs within a process that the token does not count',
    caughtBy: 'fence monotonicity',
    family,
    plant: () =>
      replaceMethod(Tenancies.prototype, 'seat', (right) => {
        return function (this: never, hold: never, ...rest: never[]) {
          (hold as Hold).handOffs = 0;
          return right.call(this, hold, ...rest);
        };
      }),
  },
  {
    name: 'a retained claim that is taken again without a look at its lease',
    caughtBy: 'honest answers',
    family,
    plant: () =>
      replaceMethod(Tenancies.prototype, 'resume', (right) => {
        return function (this: never, waiter: never) {
          const { retained } = this as { readonly retained: Hold | undefined };
          if (retained === undefined) return right.call(this, waiter);
          const unseen = Object.defineProperty(retained, 'sound', { value: true, configurable: true });
          const resumed = right.call(this, waiter);
          delete (unseen as { sound?: boolean }).sound;
          return resumed;
        };
      }),
  },
  {
    name: 'a retained claim that never leaves, whoever wants it',
    caughtBy: 'liveness',
    family,
    plant: () =>
      replaceMethod(Tenancies.prototype, 'yieldRetained', () => {
        return function () {};
      }),
  },
  {
    name: 'a claim is asked about again after it was withdrawn',
    caughtBy: 'kept contract',
    byNoOther: true,
    family,
    plant: () =>
      replaceMethod(Hold.prototype, 'leave', (right) => {
        return async function (this: never) {
          const left = await (right.call(this) as Promise<unknown>);
          void coreOf(this)
            .ask()
            .catch(() => undefined);
          return left;
        };
      }),
  },
  {
    name: 'siblings enter their lock together',
    caughtBy: 'turns',
    byNoOther: true,
    family,
    plant: () =>
      replaceMethod(Turnstile.prototype, 'enter', () => {
        return async function () {
          return () => undefined;
        };
      }),
  },
  {
    name: 'trouble with the backend is told as contention',
    caughtBy: 'honest answers',
    byNoOther: true,
    family,
    plant: () =>
      replaceMethod(LocalLine.prototype, 'asLockError', (right) => {
        return function (this: never, error: never) {
          return Object.assign(right.call(this, error) as Error, { code: 'LOCK_UNAVAILABLE' });
        };
      }),
  },
];

interface CoreHold {
  readonly context: {
    readonly clock: { now(): number; wall(): number; alarm: never };
    readonly timers: { cancel(timer: never): void };
  };
  readonly over: boolean;
  readonly deadline: number;
  readonly timer: never;
  readonly renewing: unknown;
  lose(reason: string): void;
  ask(): Promise<boolean>;
}

/** What the compiler calls private. */
function coreOf(hold: unknown): CoreHold {
  return hold as CoreHold;
}

/** As if the margin that the core takes off were none: with it, the lease ends when the backend's does. */
function withoutMargin(backend: LockBackend): LockBackend {
  const longer = (standing: Standing): Standing => {
    return standing.held ? { ...standing, leaseMs: (standing.leaseMs + 2) / 0.99 } : standing;
  };
  return {
    name: backend.name,
    inspect: (key) => backend.inspect(key),
    list: (options) => backend.list(options),
    evict: (key, id) => backend.evict(key, id),
    claim: (request) => {
      const claim = backend.claim(request);
      return {
        ...claim,
        attempt: async (options) => longer(await claim.attempt(options)),
        watch: (wake) => claim.watch!((standing) => wake(standing && longer(standing))),
      };
    },
  };
}
