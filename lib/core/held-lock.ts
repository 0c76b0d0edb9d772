import { type Hold } from './hold.js';
import { BaseLock } from './lock.js';
import { type Wish } from './options.js';

/** Of the fencing token's bits, those that count hand-offs under one claim; the place in line is above them. */
const HAND_OFF_BITS = 10n;

/** The fencing token of the first caller that holds by the claim. */
export function firstToken(place: bigint): bigint {
  return place << HAND_OFF_BITS;
}

interface Turn {
  readonly acquiredAt: number;
  readonly waitedMs: number;
  readonly giveBack: (lock: HeldLock, use: { readonly unused: boolean }) => Promise<boolean>;
}

/** The lock of one key: one caller's turn on a hold, which may have had other turns before. */
export class HeldLock extends BaseLock {
  readonly keys: readonly string[];
  private readonly token: bigint;

  constructor(
    readonly hold: Hold,
    readonly wish: Wish,
    private readonly turn: Turn,
  ) {
    super();
    this.keys = [hold.admitted.key];
    this.token = firstToken(hold.place) | BigInt(hold.handOffs);
  }

  override get fencingToken(): bigint {
    return this.token;
  }

  get fencingTokens(): ReadonlyMap<string, bigint> {
    return new Map([[this.keys[0]!, this.token]]);
  }

  get acquiredAt(): number {
    return this.turn.acquiredAt;
  }

  get waitedMs(): number {
    return this.turn.waitedMs;
  }

  slotsOf(): number {
    return this.hold.terms.slots;
  }

  async confirmed(): Promise<void> {
    if (!this.held) await this.hold.confirm();
  }

  protected leaseLeftMs(): number {
    return this.hold.remainingMs;
  }

  protected async letGo(use: { readonly unused: boolean }): Promise<boolean> {
    return this.loss === undefined && this.turn.giveBack(this, use);
  }
}
