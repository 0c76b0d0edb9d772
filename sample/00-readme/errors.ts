import { LockBackendError, LockLostError, LockModule, LockUnavailableError } from 'nestjs-locked';

// #region errors
export function explain(error: unknown): string {
  if (error instanceof LockUnavailableError) return `busy: ${error.ahead} ahead after ${error.waitedMs} ms`;
  if (error instanceof LockLostError) return `it may have run, and not alone: ${error.reason}`;
  if (error instanceof LockBackendError) return `it did not run, and nobody knows who holds ${error.key}`;
  throw error; // the body's own error comes as it was thrown
}
// #endregion

export const answeringModule = [
  // #region answer
  LockModule.forRoot({
    answerError: (error, usual) => (error instanceof LockUnavailableError ? { ...usual, status: 409 } : usual),
  }),
  // #endregion
];
