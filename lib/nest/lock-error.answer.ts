import { HttpStatus } from '@nestjs/common';
import { LockConfigError, type LockError, type LockErrorCode, type LockUnavailableError } from '../core/errors.js';

/** What whoever called a handler is told of a lock error, whatever the transport. See LockErrorFilter for how each says it. */
export interface LockErrorAnswer {
  /** The status of an HTTP response. Other transports have none. */
  readonly status: number;
  /** What a client tells errors apart by. */
  readonly code: string;
  /** For people. The error's own message names keys and servers, which are nobody's business outside. */
  readonly message: string;
  /** When trying again may pay off; undefined when it would not. */
  readonly retryAfterSeconds?: number | undefined;
  /** Sent along, as JSON, beside the code; of the same name, instead of what would be sent. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Replaces what is usually answered; undefined leaves it. */
export type LockErrorAnswering = (error: LockError, usual: LockErrorAnswer) => LockErrorAnswer | undefined;

const INTERNAL = { status: HttpStatus.INTERNAL_SERVER_ERROR, message: 'Internal server error' };

const ANSWERS: Record<LockErrorCode, Pick<LockErrorAnswer, 'status' | 'message'>> = {
  LOCK_UNAVAILABLE: { status: HttpStatus.LOCKED, message: 'Locked by somebody else. Try again later.' },
  LOCK_BACKEND: { status: HttpStatus.SERVICE_UNAVAILABLE, message: 'Locks cannot be had right now. Try again later.' },
  // Not 503, which invites to repeat what may have been done.
  LOCK_LOST: {
    status: HttpStatus.INTERNAL_SERVER_ERROR,
    message: 'The lock was lost while the request was handled. It may have had its effect, or a part of it.',
  },
  LOCK_REENTRANCY: INTERNAL,
  LOCK_CONFIG: INTERNAL,
};

/** What is answered unless the application says otherwise. */
export function usualAnswer(error: LockError): LockErrorAnswer {
  const { code } = error;
  const retryAfterSeconds = retryAfter(error);
  // The error may come from another copy of this package, of another version.
  return { ...(ANSWERS[code] ?? INTERNAL), code, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

/** What an `answerError` of the application made of it, if it can be sent. @throws LockConfigError */
export function checkedAnswer(own: unknown): LockErrorAnswer {
  const { status, code, message, retryAfterSeconds = 0, details = {} } = (own ?? {}) as LockErrorAnswer;
  const sendable =
    Number.isInteger(status) &&
    status >= 400 &&
    status <= 599 &&
    typeof code === 'string' &&
    typeof message === 'string' &&
    Number.isFinite(retryAfterSeconds) &&
    retryAfterSeconds >= 0 &&
    isJson(details);
  if (sendable) return own as LockErrorAnswer;
  throw new LockConfigError(
    'answerError must return { status: 400 to 599, code, message, retryAfterSeconds?, details? }, and details that JSON can tell',
  );
}

function isJson(details: unknown): boolean {
  try {
    return typeof details === 'object' && JSON.stringify(details) !== undefined;
  } catch {
    return false;
  }
}

function retryAfter(error: LockError): number | undefined {
  if (error.code === 'LOCK_BACKEND') return 1;
  if (error.code !== 'LOCK_UNAVAILABLE') return undefined;
  // As long as it was waited for in vain.
  return Math.max(1, Math.ceil((error as LockUnavailableError).waitedMs / 1000));
}
