/** What ends a watch may throw: a wake too many is not worth a lock. */
export function quietly(unwatch: (() => void) | undefined): void {
  try {
    unwatch?.();
  } catch {
    // See above.
  }
}
