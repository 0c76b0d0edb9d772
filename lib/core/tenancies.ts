import { type Context, shorten } from './context.js';
import { LockLostError, type LossReason } from './errors.js';
import { HeldLock } from './held-lock.js';
import { type Hold } from './hold.js';
import { type Left } from './leave.js';
import { type Terms } from './options.js';
import { type Timer } from './timers.js';
import { type Waiter } from './waiter.js';

/** Who has a hold: a caller, for at most `maxHoldMs`; or nobody, until `minHoldMs` is over. The timer is for either. */
interface Tenancy {
  readonly lock: HeldLock | undefined;
  readonly timer: Timer | undefined;
}

/** Who stands behind those who hold. */
export interface Successors {
  /** The waiter that takes the hold over without asking the backend, if one may. It waits no longer. */
  successorTo(hold: Hold): Waiter | undefined;
  /** A hold changed hands or ended. */
  moved(): void;
}

/** The claims of one process that are in, for one key, and which caller has each. */
export class Tenancies {
  private readonly tenancies = new Map<Hold, Tenancy>();

  constructor(
    private readonly context: Context,
    private readonly key: string,
    private readonly successors: Successors,
  ) {}

  get size(): number {
    return this.tenancies.size;
  }

  holds(): IterableIterator<Hold> {
    return this.tenancies.keys();
  }

  /** Of those that are surely held now. */
  terms(): Terms[] {
    return [...this.tenancies.keys()].filter((hold) => hold.held).map((hold) => hold.terms);
  }

  /** A claim has come in, for this waiter. */
  admit(hold: Hold, waiter: Waiter): void {
    hold.onLost = (loss) => this.lost(hold, loss);
    this.seat(hold, waiter, 'acquired');
  }

  /** Nobody holds it any longer. A hold that only rests until `minHoldMs` is over is left to its lease. */
  evictAll(): void {
    for (const [hold, { lock, timer }] of this.tenancies) {
      if (lock !== undefined) {
        hold.lose('closed');
        continue;
      }
      this.context.timers.cancel(timer);
      this.tenancies.delete(hold);
      hold.abandon();
    }
    this.successors.moved();
  }

  private seat(hold: Hold, waiter: Waiter, how: 'acquired' | 'handed-over'): void {
    const { clock, events, timers } = this.context;
    const { wish, waitedMs } = waiter;
    const acquiredAt = clock.now();
    const lock = new HeldLock(hold, wish, { acquiredAt, waitedMs, giveBack: (own, use) => this.release(own, use) });
    // A lease that was counted from long before the admission must still outlast this process by the time that was asked for.
    if (hold.remainingMs < wish.minHoldMs) void hold.confirm();
    const endsAt = acquiredAt + wish.maxHoldMs;
    const timer = endsAt === Infinity ? undefined : timers.set(endsAt, false, () => hold.lose('max-hold'));
    this.tenancies.set(hold, { lock, timer });
    hold.site = wish.site;
    if (events.wanted) events.emit({ ...this.subject(lock), type: how, waitedMs });
    waiter.serve(lock);
  }

  private async release(lock: HeldLock, { unused }: { readonly unused: boolean }): Promise<boolean> {
    const { clock, events, timers } = this.context;
    const { hold, wish, acquiredAt } = lock;
    const heldMs = clock.now() - acquiredAt;
    timers.cancel(this.tenancies.get(hold)?.timer);
    if (events.wanted) events.emit({ ...this.subject(lock), type: 'released', heldMs });
    if (heldMs < wish.minHoldMs && !unused) {
      const timer = timers.set(acquiredAt + wish.minHoldMs, false, () => void this.vacate(hold));
      this.tenancies.set(hold, { lock: undefined, timer });
      return true;
    }
    const left = await this.vacate(hold);
    if (left === false) {
      lock.lose(new LockLostError(this.key, 'claim-gone'));
      this.tellLost(lock, 'claim-gone');
    }
    return left === true;
  }

  /** To a successor if there is one; otherwise the claim is sent out of the line before a new one is sent to join it. */
  private async vacate(hold: Hold): Promise<Left> {
    const successor = this.successors.successorTo(hold);
    if (successor !== undefined) {
      hold.handOffs += 1;
      this.seat(hold, successor, 'handed-over');
      this.successors.moved();
      return true;
    }
    this.tenancies.delete(hold);
    const left = hold.leave();
    this.successors.moved();
    return left;
  }

  private lost(hold: Hold, loss: LockLostError): void {
    const { lock, timer } = this.tenancies.get(hold)!;
    this.context.timers.cancel(timer);
    this.tenancies.delete(hold);
    if (lock !== undefined) {
      lock.lose(loss);
      this.tellLost(lock, loss.reason);
    }
    this.successors.moved();
  }

  private tellLost(lock: HeldLock, reason: LossReason): void {
    const { clock, events } = this.context;
    const heldMs = clock.now() - lock.acquiredAt;
    if (events.wanted) events.emit({ ...this.subject(lock), type: 'lost', heldMs, reason });
  }

  /** What events say of a lock. */
  private subject({ hold, wish, fencingToken }: HeldLock) {
    return { key: this.key, claim: shorten(hold.admitted.id), site: wish.site, fencingToken };
  }
}
