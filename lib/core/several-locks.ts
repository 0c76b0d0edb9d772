import { BaseLock, type OwnedLock } from './lock.js';

/** The locks of several keys as one: lost when one of them is, released in reverse order of acquisition. */
export class SeveralLocks extends BaseLock {
  readonly keys: readonly string[];
  readonly fencingTokens: ReadonlyMap<string, bigint>;
  readonly slots: number;
  readonly waitedMs: number;

  constructor(private readonly parts: readonly OwnedLock[]) {
    super();
    this.keys = parts.flatMap((part) => part.keys).toSorted();
    this.fencingTokens = new Map(parts.flatMap((part) => [...part.fencingTokens]));
    this.slots = Math.min(...parts.map((part) => part.slots));
    this.waitedMs = parts.reduce((sum, part) => sum + part.waitedMs, 0);
    for (const part of parts) part.onLoss((loss) => this.lose(loss));
  }

  protected leaseLeftMs(): number {
    return Math.min(...this.parts.map((part) => part.remainingMs));
  }

  protected async letGo(): Promise<boolean> {
    return releaseAll(this.parts);
  }
}

/** Releases in reverse order, each whatever became of the others. */
export async function releaseAll(locks: readonly OwnedLock[]): Promise<boolean> {
  let allHeld = true;
  for (const lock of locks.toReversed()) {
    if (!(await lock.release())) allHeld = false;
  }
  return allHeld;
}
