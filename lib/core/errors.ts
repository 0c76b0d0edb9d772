const BRAND = Symbol.for('nestjs-locked:LockError');

export type LockErrorCode = 'LOCK_UNAVAILABLE' | 'LOCK_LOST' | 'LOCK_BACKEND' | 'LOCK_REENTRANCY' | 'LOCK_CONFIG';

/**
 * What all errors of this package have in common. Contention, loss and "do not know" are never the same class, because
 * the right answer to each differs: try later, stop working, or find out what is wrong with the backend.
 */
export abstract class LockError extends Error {
  abstract readonly code: LockErrorCode;
  /** The key it is about; undefined where no key is involved. */
  readonly key: string | undefined;

  constructor(message: string, key?: string, options?: ErrorOptions) {
    super(message, options);
    this.key = key;
    this.name = new.target.name;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** True for an error of this package, also of another copy of it in the same process, where `instanceof` fails. */
export function isLockError(error: unknown): error is LockError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

const ADVICE = {
  busy: 'raise waitMs, or try again later',
  forced: 'somebody took its claim out of the line with forceRelease',
};

/** Whether somebody took the claim away, by the word of a backend or of the core. */
export function isForced(error: unknown): boolean {
  return isLockError(error) && (error as Partial<LockLostError>).reason === 'forced';
}

/** Contention: the key could not be had in the time allowed. Expected; whoever called decides what to do. */
export class LockUnavailableError extends LockError {
  readonly code = 'LOCK_UNAVAILABLE';
  /** How long it was waited for, in milliseconds. */
  readonly waitedMs: number;
  /** How many stood ahead when it was last known. */
  readonly ahead: number;
  /** `'forced'`: it waited, and was taken out of the line by `forceRelease`. */
  readonly reason: 'busy' | 'forced';

  constructor(key: string, facts: { waitedMs: number; ahead: number; reason?: 'busy' | 'forced'; advice?: string }) {
    const { waitedMs, ahead, reason = 'busy', advice = ADVICE[reason] } = facts;
    super(`${quote(key)} was not to be had within ${Math.round(waitedMs)} ms, ${ahead} ahead: ${advice}`, key);
    this.waitedMs = waitedMs;
    this.ahead = ahead;
    this.reason = reason;
  }
}

export type LossReason =
  /** The lease ran out by the local clock, with no renewal confirmed in time. */
  | 'lease-ended'
  /** The backend no longer knows the claim: it expired there, was removed, or the backend lost its data. */
  | 'claim-gone'
  /** Somebody took it away with `forceRelease`. */
  | 'forced'
  /** `maxHoldMs` is over. */
  | 'max-hold'
  /** Wall and monotonic clocks drifted apart, as after a suspended machine, and no renewal has confirmed the lock yet. */
  | 'clock-suspect'
  /** The lock manager was closed. */
  | 'closed'
  /** It was released: only `assertHeld` says so. */
  | 'released';

const LOSSES: Record<LossReason, string> = {
  'lease-ended': 'its lease ended before a renewal was confirmed; is the event loop blocked, or the backend slow?',
  'claim-gone': 'the backend no longer has its claim',
  forced: 'somebody took it away with forceRelease',
  'max-hold': 'it was held for maxHoldMs',
  'clock-suspect': 'the clocks drifted apart as if the machine had slept, and no renewal has confirmed it yet',
  closed: 'its lock manager was closed',
  released: 'it has been released',
};

/**
 * It was held, and no longer surely is. Someone else may hold it by now: stop, and let whoever guards the resource
 * refuse the fencing token. Also the `reason` of `lock.signal`.
 */
export class LockLostError extends LockError {
  readonly code = 'LOCK_LOST';
  readonly reason: LossReason;

  constructor(key: string, reason: LossReason) {
    super(`${quote(key)} was lost: ${LOSSES[reason]}`, key);
    this.reason = reason;
  }
}

/** It could not be asked for. Says nothing about who holds the key. `cause` is what went wrong. */
export class LockBackendError extends LockError {
  readonly code = 'LOCK_BACKEND';

  constructor(key: string | undefined, problem: string, cause?: unknown) {
    super(key === undefined ? problem : `${quote(key)}: ${problem}`, key, cause === undefined ? {} : { cause });
  }
}

/** It would wait for its own call chain, for ever. */
export class LockReentrancyError extends LockError {
  readonly code = 'LOCK_REENTRANCY';

  constructor(key: string, advice: string) {
    super(`${quote(key)} is already held by this call chain: ${advice}`, key);
  }
}

/** A programmer's mistake, told at start-up or at the first call, before anything is asked of a backend. */
export class LockConfigError extends LockError {
  readonly code = 'LOCK_CONFIG';
}

/** A key in a message: one line, delimited, never long. */
export function quote(key: string): string {
  const shown = JSON.stringify(key);
  return shown.length > 120 ? `${shown.slice(0, 117)}…"` : shown;
}
