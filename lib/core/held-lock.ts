import { type Answer } from './answer.js';
import { type Hold } from './hold.js';
import { BaseLock } from './lock.js';
import { type Wish } from './options.js';

/** Of the fencing token's bits, those that count hand-offs under one claim; the place in line is above them. */
const HAND_OFF_BITS = 10n;

/** The fencing token of the first caller that holds by the claim. */
export function firstToken(place: bigint): bigint {
  return place << HAND_OFF_BITS;
}

/** Who gave the turn, and takes it back. */
interface Owner {
  release(lock: HeldLock, use: { readonly unused: boolean }): Answer<boolean>;
}

interface Turn {
  readonly acquiredAt: number;
  readonly waitedMs: number;
  readonly owner: Owner;
}

/** The lock of one key: one caller's turn on a hold, which may have had other turns before. */
export class HeldLock extends BaseLock {
  readonly acquiredAt: number;
  readonly waitedMs: number;
  private readonly owner: Owner;
  private readonly handOffs: number;
  private token: bigint | undefined;

  constructor(
    readonly hold: Hold,
    readonly wish: Wish,
    { acquiredAt, waitedMs, owner }: Turn,
  ) {
    super();
    this.acquiredAt = acquiredAt;
    this.waitedMs = waitedMs;
    this.owner = owner;
    this.handOffs = hold.handOffs;
  }

  override get fencingToken(): bigint {
    return (this.token ??= firstToken(this.hold.place) | BigInt(this.handOffs));
  }

  get fencingTokens(): ReadonlyMap<string, bigint> {
    return new Map([[this.hold.admitted.key, this.fencingToken]]);
  }

  get keys(): readonly string[] {
    return [this.hold.admitted.key];
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

  protected letGo(use: { readonly unused: boolean }): Answer<boolean> {
    return this.loss === undefined && this.owner.release(this, use);
  }
}
