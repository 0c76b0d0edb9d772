import { BaseLock, type OwnedLock } from './lock.js';

/** The locks of several keys as one: lost when one of them is, released in reverse order of acquisition. */
export class SeveralLocks extends BaseLock {
  readonly keys: readonly string[];
  readonly fencingTokens: ReadonlyMap<string, bigint>;
  readonly waitedMs: number;

  constructor(private readonly parts: readonly OwnedLock[]) {
    super();
    this.keys = parts.flatMap((part) => part.keys).toSorted();
    this.fencingTokens = new Map(parts.flatMap((part) => [...part.fencingTokens]));
    this.waitedMs = parts.reduce((sum, part) => sum + part.waitedMs, 0);
    for (const part of parts) {
      part.onEnd((loss) => {
        if (loss !== undefined) this.lose(loss);
      });
    }
  }

  slotsOf(key: string): number {
    return this.parts.find((part) => part.keys.includes(key))!.slotsOf(key);
  }

  async confirmed(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.confirmed()));
  }

  protected leaseLeftMs(): number {
    return Math.min(...this.parts.map((part) => part.remainingMs));
  }

  protected async letGo({ unused }: { readonly unused: boolean }): Promise<boolean> {
    let allHeld = true;
    for (const part of this.parts.toReversed()) {
      if (!(await (unused ? part.discard() : part.release()))) allHeld = false;
    }
    return allHeld;
  }
}
