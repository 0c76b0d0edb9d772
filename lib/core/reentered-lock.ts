import { BaseLock, type OwnedLock } from './lock.js';

/** A lock that this call chain holds already, entered again: the same hold and token; a release only ends the turn. */
export class ReenteredLock extends BaseLock {
  readonly keys: readonly string[];
  readonly slots: number;
  readonly fencingTokens: ReadonlyMap<string, bigint>;

  constructor(
    private readonly outer: OwnedLock,
    key: string,
    readonly waitedMs: number,
    private readonly endTurn: () => void,
  ) {
    super();
    this.keys = [key];
    this.slots = outer.slots;
    this.fencingTokens = new Map([[key, outer.fencingTokens.get(key)!]]);
    this.stopListening = outer.onLoss((loss) => this.lose(loss));
  }

  private readonly stopListening: () => void;

  protected leaseLeftMs(): number {
    return this.outer.remainingMs;
  }

  protected async letGo(): Promise<boolean> {
    this.stopListening();
    this.endTurn();
    return this.outer.held;
  }
}
