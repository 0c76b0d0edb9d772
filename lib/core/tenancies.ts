import { type Answer, isPending, whenAnswered } from './answer.js';
import { type Context, shorten } from './context.js';
import { LockLostError, type LossReason } from './errors.js';
import { Few } from './few.js';
import { HeldLock } from './held-lock.js';
import { type Hold, type Keeper, type Tenant } from './hold.js';
import { type Left } from './leave.js';
import { type Terms } from './options.js';
import { type Waiter } from './waiter.js';

/** Who stands behind those who hold. */
export interface Successors {
  /** The waiter that takes the hold over without asking the backend, if one may. It waits no longer. */
  successorTo(hold: Hold): Waiter | undefined;
  /** Whether the waiter may take it over. */
  passesTo(hold: Hold, waiter: Waiter): boolean;
  /** For how long a hold that nobody waits for is kept for whoever comes next. 0: it is not. */
  retainMs(hold: Hold): number;
  /** A hold changed hands or ended. */
  moved(): void;
}

/** The claims of one process that are in, for one key, and which caller has each. */
export class Tenancies implements Keeper {
  private readonly tenanted = new Few<Hold>();
  /** Kept after its last release: an exclusive one, so it is the only one. */
  private retained: Hold | undefined;
  /** One that was retained is on its way out of the line. */
  private leaving: Promise<Left> | undefined;

  constructor(
    private readonly context: Context,
    private readonly key: string,
    private readonly successors: Successors,
  ) {}

  get size(): number {
    return this.tenanted.size;
  }

  holds(): Few<Hold> {
    return this.tenanted;
  }

  /** Of those that are surely held now. */
  terms(): Terms[] {
    return [...this.tenanted].filter((hold) => hold.held).map((hold) => hold.terms);
  }

  /** Resolves when what was retained is out of the line: until then it stands in the way of whoever tries the key once. */
  get yielding(): Promise<Left> | undefined {
    return this.leaving;
  }

  /** A retained hold goes to whoever comes first, if it can; if not, it goes out of the way. Whether it was taken over. */
  resume(waiter: Waiter): boolean {
    const { retained: hold } = this;
    if (hold === undefined) return false;
    // Whoever asks whether it is sound may be the first to learn that it is lost.
    if (!this.successors.passesTo(hold, waiter) || !hold.sound) {
      this.withdrawRetained();
      return false;
    }
    this.context.timers.cancel(hold.tenancy!.timer);
    this.retained = undefined;
    this.handOver(hold, waiter);
    return true;
  }

  /** A retained hold leaves the line. */
  yieldRetained(): void {
    if (this.withdrawRetained()) this.successors.moved();
  }

  /** A claim has come in, for this waiter. */
  admit(hold: Hold, waiter: Waiter): void {
    hold.keeper = this;
    this.seat(hold, waiter, 'acquired');
  }

  /** Nobody holds it any longer. A hold that only rests until `minHoldMs` is over is left to its lease. */
  evictAll(): void {
    for (const hold of this.tenanted) {
      const { lock, timer } = hold.tenancy!;
      if (lock !== undefined) {
        hold.lose('closed');
        continue;
      }
      this.context.timers.cancel(timer);
      this.tenanted.delete(hold);
      hold.abandon();
    }
    this.successors.moved();
  }

  // A hold has news.

  lost(hold: Hold, loss: LockLostError): void {
    const { lock, timer } = hold.tenancy!;
    this.context.timers.cancel(timer);
    if (this.retained === hold) this.retained = undefined;
    this.tenanted.delete(hold);
    if (lock !== undefined) {
      lock.lose(loss);
      this.tellLost(hold, lock, loss.reason);
    }
    this.successors.moved();
  }

  wanted(hold: Hold): void {
    if (this.retained === hold) this.yieldRetained();
  }

  private seat(hold: Hold, waiter: Waiter, how: 'acquired' | 'handed-over'): void {
    const { clock, events, timers } = this.context;
    const { wish, joinedAt } = waiter;
    const acquiredAt = clock.now();
    const waitedMs = acquiredAt - joinedAt;
    const lock = new HeldLock(hold, wish, { acquiredAt, waitedMs, owner: this });
    const endsAt = acquiredAt + wish.maxHoldMs;
    const timer = endsAt === Infinity ? undefined : timers.set(endsAt, false, () => hold.lose('max-hold'));
    hold.tenancy = { lock, timer };
    this.tenanted.add(hold);
    hold.site = wish.site;
    if (events.wanted) events.emit({ ...this.subject(hold, lock), type: how, waitedMs });
    waiter.serve(lock);
    // A lease that was counted from long before the admission must still outlast this process by the time that was asked for.
    // Last, because whoever asks what remains may be the first to learn that nothing does.
    if (wish.minHoldMs > 0 && hold.remainingMs < wish.minHoldMs) void hold.confirm();
  }

  /** Whether it was held until now. */
  release(lock: HeldLock, { unused }: { readonly unused: boolean }): Answer<boolean> {
    const { clock, events, timers } = this.context;
    const { hold, wish, acquiredAt } = lock;
    const heldMs = clock.now() - acquiredAt;
    timers.cancel(hold.tenancy?.timer);
    if (events.wanted) events.emit({ ...this.subject(hold, lock), type: 'released', heldMs });
    if (heldMs < wish.minHoldMs && !unused) {
      const timer = timers.set(acquiredAt + wish.minHoldMs, false, () => void this.vacate(hold));
      hold.tenancy = { lock: undefined, timer };
      return true;
    }
    return whenAnswered(this.vacate(hold, { unused }), (left) => {
      if (left === false) this.wasGone(lock);
      return left === true;
    });
  }

  private wasGone(lock: HeldLock): void {
    // Who looked for a successor may have found that the lease had ended, and told.
    if (lock.loss !== undefined) return;
    lock.lose(new LockLostError(this.key, 'claim-gone'));
    this.tellLost(lock.hold, lock, 'claim-gone');
  }

  /**
   * To a successor if there is one, or kept for one that may come; otherwise the claim is sent out of the line before a new
   * one is sent to join it.
   */
  private vacate(hold: Hold, { unused = false } = {}): Answer<Left> {
    const successor = this.successors.successorTo(hold);
    if (successor !== undefined) {
      this.handOver(hold, successor);
      this.successors.moved();
      return true;
    }
    const retainMs = unused ? 0 : this.successors.retainMs(hold);
    if (retainMs > 0) {
      this.retain(hold, retainMs);
      return true;
    }
    this.tenanted.delete(hold);
    const left = hold.leave();
    this.successors.moved();
    return left;
  }

  private handOver(hold: Hold, waiter: Waiter): void {
    hold.handOffs += 1;
    this.seat(hold, waiter, 'handed-over');
  }

  private retain(hold: Hold, forMs: number): void {
    const { clock, timers } = this.context;
    const timer = timers.set(clock.now() + forMs, false, () => this.yieldRetained());
    hold.tenancy = { lock: undefined, timer };
    this.retained = hold;
  }

  /** Whether there was one. */
  private withdrawRetained(): boolean {
    const { retained: hold } = this;
    if (hold === undefined) return false;
    this.context.timers.cancel(hold.tenancy!.timer);
    this.retained = undefined;
    this.tenanted.delete(hold);
    const left = hold.leave();
    if (!isPending(left)) return true;
    this.leaving = left;
    void left.finally(() => {
      if (this.leaving === left) this.leaving = undefined;
      this.successors.moved();
    });
    return true;
  }

  private tellLost(hold: Hold, lock: Tenant, reason: LossReason): void {
    const { clock, events } = this.context;
    const heldMs = clock.now() - lock.acquiredAt;
    if (events.wanted) events.emit({ ...this.subject(hold, lock), type: 'lost', heldMs, reason });
  }

  /** What events say of a lock. */
  private subject(hold: Hold, { wish, fencingToken }: Tenant) {
    return { key: this.key, claim: shorten(hold.admitted.id), site: wish.site, fencingToken };
  }
}
