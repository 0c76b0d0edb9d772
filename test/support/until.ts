import { setTimeout as sleep } from 'node:timers/promises';

/** Looks every 20 ms until there is something to see. Whoever fails to look, or is not done with it, looks again. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  withinMs = 20_000,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + withinMs;
  let cause: unknown;
  for (;;) {
    const left = deadline - performance.now();
    if (left <= 0) throw new Error(`not within ${withinMs} ms: ${what}`, { cause });
    try {
      const seen = await Promise.race([look(), sleep(left, undefined, { ref: false })]);
      if (seen !== undefined && seen !== false) return seen as Exclude<T, false | undefined>;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      cause = error;
    }
    await sleep(20);
  }
}

/** Looking again would not help. */
export class Hopeless extends Error {}
