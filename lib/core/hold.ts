import { type Answer, isPending } from './answer.js';
import { type Claim, type Held, type Standing } from './backend.js';
import { backoffMs } from './backoff.js';
import { type Context, shorten, track } from './context.js';
import { type Listener } from './ear.js';
import { isForced, LockLostError, type LossReason } from './errors.js';
import { inTime, PATIENCE_MS } from './in-time.js';
import { leave, type Left } from './leave.js';
import { drift, driftMargin, type Moment, momentAfter, momentOf } from './moment.js';
import { type Terms, type Wish } from './options.js';
import { quietly } from './quietly.js';
import { type Timer } from './timers.js';

/** Ends the watch of a claim; where there is none, there is nothing to end. */
export type Unwatch = (() => void) | undefined;

/** A claim that is in, and what keeps it so. */
export interface AdmittedClaim {
  readonly key: string;
  readonly id: string;
  readonly terms: Terms;
  readonly claim: Claim;
  readonly unwatch: Unwatch;
}

/** Who gives a hold to callers. */
export interface Keeper {
  /** It is over, and not by leaving. Told once. */
  lost(hold: Hold, loss: LockLostError): void;
  /** Somebody else was seen to want it. */
  wanted(hold: Hold): void;
}

/** The lock of the caller that has a hold. */
export interface Tenant {
  readonly wish: Wish;
  readonly acquiredAt: number;
  readonly fencingToken: bigint;
  lose(loss: LockLostError): void;
}

/** Who has a hold: a caller, for at most `maxHoldMs`; or nobody, until `minHoldMs` or `retainMs` is over. The timer is for either. */
export interface Tenancy {
  readonly lock: Tenant | undefined;
  readonly timer: Timer | undefined;
}

/** Renewals fall on a grid of a twelfth of the lease, so that those of many locks go out in the same turn. */
const RENEWALS_PER_LEASE = 3;
const GRID_PER_LEASE = 12;
/** Too little left of a lease to make another try worth it. */
const LAST_TRY_MS = 20;

/**
 * A claim that is held: renewed at a third of its lease, quickly again when a renewal failed, until it leaves or is lost.
 *
 * Its lease counts on the local monotonic clock from **before** the confirming call was sent, less a margin for drift
 * between this clock and the backend's. So this side stops believing before the other side lets the next one in, however
 * late the reply was. Once lost, no answer revives it: a renewal that was sent before a stall may still be confirmed
 * after it, when somebody already read that the lock was lost.
 *
 * States: held → (over by leaving | over by loss).
 */
export class Hold implements Listener {
  readonly place: bigint;
  /** Callers of this process that had the claim before the present one. */
  handOffs = 0;
  /** Where the present caller is, if it said so. */
  site: string | undefined;
  tenancy: Tenancy | undefined;
  /** Somebody else was seen to want it. They may have gone since. */
  wanted: boolean;
  keeper: Keeper | undefined;
  private over = false;
  private readonly leaseMs: number;
  private readonly marginMs: number;
  private deadline: number;
  private timer: Timer | undefined;
  private failures = 0;
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly context: Context,
    readonly admitted: AdmittedClaim,
    standing: Held,
    private confirmed: Moment,
  ) {
    this.place = standing.place;
    this.wanted = standing.waiting > 0;
    this.leaseMs = standing.leaseMs;
    this.marginMs = driftMargin(standing.leaseMs);
    this.deadline = confirmed.now + this.leaseMs - this.marginMs;
    this.tendAt(this.nextRenewal());
  }

  get terms(): Terms {
    return this.admitted.terms;
  }

  /**
   * How much of the lease is left if no renewal succeeds; 0 in doubt. Reads both clocks, so that it is right even when no
   * timer has run for a while, and makes known a loss that none has told.
   */
  get remainingMs(): number {
    const moment = momentAfter(this.confirmed, this.context.clock, this.marginMs);
    if (!this.within(moment.now)) return 0;
    const slept = drift(this.confirmed, moment);
    if (Math.abs(slept) > this.marginMs) {
      this.renewUnlessRenewing();
      return 0;
    }
    // A sleep too short to be told from drift has used up what it lasted.
    return Math.max(0, this.deadline - moment.now - Math.max(0, slept));
  }

  get held(): boolean {
    return this.remainingMs > 0;
  }

  /** Held, and nothing says that it will not be for long. */
  get sound(): boolean {
    return this.held && this.failures === 0;
  }

  /** The backend has news: that somebody waits behind it, or something that it does not say. */
  woken(news?: Standing): void {
    this.context.detached(() => this.heed(news));
  }

  private heed(news: Standing | undefined): void {
    if (news === undefined || (news.held && news.waiting > 0)) {
      this.wanted = true;
      this.keeper?.wanted(this);
    }
    if (news === undefined) void this.confirm();
  }

  /** Asks the backend now instead of at the next renewal; resolves when it has answered, or taken too long to. */
  async confirm(): Promise<void> {
    this.renewUnlessRenewing();
    await this.renewalAnswered(PATIENCE_MS);
  }

  lose(reason: LossReason): void {
    if (this.over) return;
    this.end();
    this.keeper?.lost(this, new LockLostError(this.admitted.key, reason));
    // The backend may still count it as held, and others wait for it; or it keeps a note for whoever was evicted.
    if (reason !== 'claim-gone') void this.withdraw();
  }

  /** Leaves the line. false: the backend no longer had it, so it was lost before, unnoticed. */
  leave(): Answer<Left> {
    if (this.over) return false;
    this.end();
    return this.withdraw();
  }

  /** Stays in line for a whole lease, and is cared for no longer: a closing process must not let the next one in early. */
  abandon(): void {
    const restarted = this.confirm();
    this.end();
    track(this.context, restarted);
  }

  private withdraw(): Answer<Left> {
    const { key, id, claim } = this.admitted;
    const go = (): Answer<Left> => leave(this.context, { key, id, claim, leaseMs: this.leaseMs });
    const left = this.renewing === undefined ? go() : this.renewalAnsweredInLease().then(go);
    if (isPending(left)) track(this.context, left);
    return left;
  }

  private async renewalAnsweredInLease(): Promise<void> {
    await this.renewalAnswered(this.deadline - this.context.clock.now());
  }

  /** Calls on one claim do not overlap. One that is not answered is not waited for long. */
  private async renewalAnswered(withinMs: number): Promise<void> {
    const { renewing } = this;
    if (renewing === undefined || withinMs <= 0) return;
    try {
      await inTime(this.context, Math.min(withinMs, PATIENCE_MS), () => renewing);
    } catch {
      // What matters is that it is over.
    }
  }

  private end(): void {
    this.over = true;
    this.context.timers.cancel(this.timer);
    quietly(this.admitted.unwatch);
  }

  private within(now: number): boolean {
    if (!this.over && now >= this.deadline) this.lose('lease-ended');
    return !this.over;
  }

  private nextRenewal(): number {
    const grid = this.leaseMs / GRID_PER_LEASE;
    const due = this.confirmed.now + this.leaseMs / RENEWALS_PER_LEASE;
    return Math.floor(due / grid) * grid;
  }

  private tendAt(instant: number): void {
    const { clock, timers } = this.context;
    timers.cancel(this.timer);
    this.timer = timers.set(Math.min(instant, this.deadline), false, () => {
      if (this.within(clock.now())) this.renew();
    });
  }

  private renewUnlessRenewing(): void {
    if (!this.over && this.renewing === undefined) this.renew();
  }

  private renew(): void {
    const { clock, detached } = this.context;
    const sent = momentOf(clock);
    const left = this.deadline - sent.now;
    // The answer may never come. Then half of what is left is for asking again, and the deadline ends it even if that hangs.
    this.tendAt(left > LAST_TRY_MS ? sent.now + left / 2 : this.deadline);
    const answered = detached(() => this.ask()).then(
      (kept) => (kept ? this.renewed(sent) : this.lose('claim-gone')),
      (error: unknown) => this.renewalFailed(error),
    );
    this.renewing = answered;
    void answered.finally(() => {
      if (this.renewing === answered) this.renewing = undefined;
    });
  }

  private async ask(): Promise<boolean> {
    return this.admitted.claim.renew();
  }

  private renewed(sent: Moment): void {
    if (!this.within(this.context.clock.now())) return;
    this.failures = 0;
    if (sent.now >= this.confirmed.now) {
      this.confirmed = sent;
      this.deadline = sent.now + this.leaseMs - this.marginMs;
    }
    this.tendAt(this.nextRenewal());
    const { key, id } = this.admitted;
    const { events } = this.context;
    if (events.wanted) events.emit({ type: 'renewed', key, claim: shorten(id), site: this.site });
  }

  private renewalFailed(error: unknown): void {
    const { clock, events } = this.context;
    if (!this.within(clock.now())) return;
    if (isForced(error)) {
      this.lose('forced');
      return;
    }
    this.failures += 1;
    const left = this.deadline - clock.now();
    const pauseMs = Math.min(backoffMs(this.context, this.failures), left / 2);
    this.tendAt(left > LAST_TRY_MS ? clock.now() + pauseMs : this.deadline);
    const { key, id } = this.admitted;
    if (events.wanted) events.emit({ type: 'renewal-failed', key, claim: shorten(id), site: this.site, error });
  }
}
