import { HttpException, HttpStatus } from '@nestjs/common';
import { type LockError, type LockErrorCode, type LockUnavailableError } from '../core/errors.js';

interface Answer {
  readonly status: HttpStatus;
  /** For the client. The error's own message names keys and servers, which are nobody's business outside. */
  readonly message: string;
}

const INTERNAL: Answer = { status: HttpStatus.INTERNAL_SERVER_ERROR, message: 'Internal server error' };

const ANSWERS: Record<LockErrorCode, Answer> = {
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

/** What a client may know of a lock error. */
export function answerTo({ code }: LockError): Answer {
  // The error may come from another copy of this package, of another version.
  return ANSWERS[code] ?? INTERNAL;
}

export function toHttpException(error: LockError): HttpException {
  const { status, message } = answerTo(error);
  return new HttpException({ statusCode: status, message, code: error.code }, status, { cause: error });
}

/** When trying again may pay off, in whole seconds; undefined when it would not. */
export function retryAfterSeconds(error: LockError): number | undefined {
  if (error.code === 'LOCK_BACKEND') return 1;
  if (error.code !== 'LOCK_UNAVAILABLE') return undefined;
  // As long as it was waited for in vain.
  return Math.max(1, Math.ceil((error as LockUnavailableError).waitedMs / 1000));
}
