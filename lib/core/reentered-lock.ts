import { LockLostError } from './errors.js';
import { BaseLock, type OwnedLock } from './lock.js';

/**
 * A lock that this call chain holds already, entered again: the same hold and token. A release only ends the turn. When
 * the outer lock is released while the turn lasts, what it stands on is gone: it is lost.
 */
export class ReenteredLock extends BaseLock {
  readonly keys: readonly string[];
  readonly fencingTokens: ReadonlyMap<string, bigint>;
  private readonly stopListening: () => void;

  constructor(
    private readonly outer: OwnedLock,
    key: string,
    readonly waitedMs: number,
    private readonly endTurn: () => void,
  ) {
    super();
    this.keys = [key];
    this.fencingTokens = new Map([[key, outer.fencingTokens.get(key)!]]);
    this.stopListening = outer.onEnd((loss) => this.lose(loss ?? new LockLostError(key, 'released')));
  }

  slotsOf(key: string): number {
    return this.outer.slotsOf(key);
  }

  async confirmed(): Promise<void> {
    await this.outer.confirmed();
  }

  protected leaseLeftMs(): number {
    return this.outer.remainingMs;
  }

  protected async letGo(): Promise<boolean> {
    this.stopListening();
    this.endTurn();
    return this.loss === undefined && this.outer.held;
  }
}
