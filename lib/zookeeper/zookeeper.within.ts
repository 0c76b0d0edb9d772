import { type Clock } from '../core/clock.js';
import { NotKnownError } from './zookeeper.errors.js';

/** What the promise settles to, or NotKnownError. What comes later is nobody's unhandled rejection. */
export async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    ({ cancel } = clock.alarm(ms, () => reject(new NotKnownError(`no answer within ${Math.round(ms)} ms`))));
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}
