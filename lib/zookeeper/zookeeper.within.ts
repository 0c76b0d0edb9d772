import { NotKnownError } from './zookeeper.errors.js';

/** What the promise settles to, or NotKnownError. What comes later is nobody's unhandled rejection. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotKnownError(`no answer within ${Math.round(ms)} ms`)), ms);
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
