import { type Hold } from './hold.js';
import { BaseLock } from './lock.js';
import { type Wish } from './options.js';

/** Of the fencing token's bits, those that count hand-offs under one claim; the place in line is above them. */
const HAND_OFF_BITS = 10n;

/** The lock of one key: one caller's turn on a hold, which may have had other turns before. */
export class HeldLock extends BaseLock {
  readonly keys: readonly string[];
  readonly slots: number;
  readonly acquiredAt: number;
  private readonly token: bigint;

  constructor(
    readonly hold: Hold,
    readonly wish: Wish,
    {
      acquiredAt,
      waitedMs,
      letGo,
    }: { acquiredAt: number; waitedMs: number; letGo: (lock: HeldLock) => Promise<boolean> },
  ) {
    super();
    this.keys = [hold.admitted.key];
    this.slots = hold.terms.slots;
    this.acquiredAt = acquiredAt;
    this.waitedMs = waitedMs;
    this.token = (hold.place << HAND_OFF_BITS) | BigInt(hold.handOffs);
    this.giveBack = letGo;
  }

  readonly waitedMs: number;
  private readonly giveBack: (lock: HeldLock) => Promise<boolean>;

  override get fencingToken(): bigint {
    return this.token;
  }

  get fencingTokens(): ReadonlyMap<string, bigint> {
    return new Map([[this.keys[0]!, this.token]]);
  }

  protected leaseLeftMs(): number {
    return this.hold.remainingMs;
  }

  protected async letGo(): Promise<boolean> {
    return this.loss === undefined && this.giveBack(this);
  }
}
