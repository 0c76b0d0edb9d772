import { LockBackendError, LockConfigError, type LockError } from './errors.js';

/** Why it could not be asked for, as an error of its own for each caller: none is shared. */
export function asLockError(error: unknown, { key, backend }: { key: string | undefined; backend: string }): LockError {
  const because = error instanceof Error ? error.message : String(error);
  if (error instanceof LockConfigError) return new LockConfigError(because, key, { cause: error });
  return new LockBackendError(key, `could not ask the ${backend} backend: ${because}`, error);
}
