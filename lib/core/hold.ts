import { type Claim, type Held } from './backend.js';
import { backoffMs } from './backoff.js';
import { type Context, shorten, track } from './context.js';
import { LockLostError, type LossReason } from './errors.js';
import { inTime } from './in-time.js';
import { leave, type Left } from './leave.js';
import { type Terms } from './options.js';
import { type Timer } from './timers.js';

/** A moment on both clocks: what passed between two of them differs if the machine slept. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** A claim that is in, and what keeps it so. */
export interface AdmittedClaim {
  readonly key: string;
  readonly id: string;
  readonly terms: Terms;
  readonly claim: Claim;
  readonly unwatch: (() => void) | undefined;
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
 * States: held → (over by leaving | over by loss). `onLost` is called at most once.
 */
export class Hold {
  readonly place: bigint;
  /** Callers of this process that had the claim before the present one. */
  handOffs = 0;
  onLost: ((error: LockLostError) => void) | undefined;
  private over = false;
  private readonly leaseMs: number;
  private readonly marginMs: number;
  private deadline: number;
  private timer: Timer | undefined;
  private failures = 0;
  private renewing: Promise<unknown> | undefined;

  constructor(
    private readonly context: Context,
    readonly admitted: AdmittedClaim,
    standing: Held,
    private confirmed: Moment,
  ) {
    this.place = standing.place;
    this.leaseMs = standing.leaseMs;
    this.marginMs = driftMargin(standing.leaseMs);
    this.deadline = confirmed.now + this.leaseMs - this.marginMs;
    this.tendAt(this.nextRenewal());
  }

  get terms(): Terms {
    return this.admitted.terms;
  }

  /** Reads both clocks, so that it is true even when no timer has run for a while. */
  get held(): boolean {
    const moment = this.moment();
    return this.within(moment) && !this.suspect(moment);
  }

  get remainingMs(): number {
    const moment = this.moment();
    return this.within(moment) && !this.suspect(moment) ? this.deadline - moment.now : 0;
  }

  /** Asks the backend now instead of at the next renewal, unless it is being asked. */
  confirm(): void {
    if (!this.over && this.renewing === undefined) this.renew();
  }

  lose(reason: LossReason): void {
    if (this.over) return;
    this.end();
    const { key, id } = this.admitted;
    const error = new LockLostError(key, reason);
    if (this.context.events.wanted) this.context.events.emit({ type: 'lost', key, claim: shorten(id), reason });
    this.onLost?.(error);
    // The backend may still count it as held, and others wait for it.
    if (reason !== 'claim-gone') track(this.context, this.withdraw());
  }

  /** Leaves the line. false: the backend no longer had it, so it was lost before, unnoticed. */
  async leave(): Promise<Left> {
    if (this.over) return false;
    this.end();
    return this.withdraw();
  }

  /** Stops renewing and stays in line until the lease ends: a closing process that must not let the next one in early. */
  abandon(): void {
    this.end();
  }

  private async withdraw(): Promise<Left> {
    const { key, id, claim } = this.admitted;
    const { renewing } = this;
    const patienceMs = this.deadline - this.context.clock.now();
    if (renewing !== undefined && patienceMs > 0) {
      await inTime(this.context, patienceMs, () => renewing).catch(() => undefined);
    }
    return leave(this.context, { key, id, claim, leaseMs: this.leaseMs });
  }

  private end(): void {
    this.over = true;
    this.context.timers.cancel(this.timer);
    this.admitted.unwatch?.();
  }

  private moment(): Moment {
    const { clock } = this.context;
    return { now: clock.now(), wall: clock.wall() };
  }

  /** Whether the lease lasts. Whoever finds that it has ended makes the loss known, before any timer could. */
  private within({ now }: Moment): boolean {
    if (!this.over && now >= this.deadline) this.lose('lease-ended');
    return !this.over;
  }

  /** A suspended machine stops the monotonic clock and not the wall clock. So may a jump of the latter alone: ask. */
  private suspect({ now, wall }: Moment): boolean {
    const drift = wall - this.confirmed.wall - (now - this.confirmed.now);
    const suspect = Math.abs(drift) > this.marginMs;
    if (suspect) this.confirm();
    return suspect;
  }

  private nextRenewal(): number {
    const grid = this.leaseMs / GRID_PER_LEASE;
    const due = this.confirmed.now + this.leaseMs / RENEWALS_PER_LEASE;
    return Math.floor(due / grid) * grid;
  }

  private tendAt(instant: number): void {
    const { timers } = this.context;
    timers.cancel(this.timer);
    this.timer = timers.set(Math.min(instant, this.deadline), false, () => {
      if (this.within(this.moment())) this.renew();
    });
  }

  private renew(): void {
    const sent = this.moment();
    const left = this.deadline - sent.now;
    // The answer may never come. Then half of what is left is for asking again, and the deadline ends it even if that hangs.
    this.tendAt(left > LAST_TRY_MS ? sent.now + left / 2 : this.deadline);
    const answer = this.ask().then(
      (kept) => (kept ? this.renewed(sent) : this.lose('claim-gone')),
      (error: unknown) => this.renewalFailed(error),
    );
    this.renewing = answer;
    void answer.finally(() => {
      if (this.renewing === answer) this.renewing = undefined;
    });
  }

  private async ask(): Promise<boolean> {
    return this.admitted.claim.renew();
  }

  private renewed(sent: Moment): void {
    if (!this.within(this.moment())) return;
    this.failures = 0;
    if (sent.now >= this.confirmed.now) {
      this.confirmed = sent;
      this.deadline = sent.now + this.leaseMs - this.marginMs;
    }
    this.tendAt(this.nextRenewal());
    const { key, id } = this.admitted;
    if (this.context.events.wanted) this.context.events.emit({ type: 'renewed', key, claim: shorten(id) });
  }

  private renewalFailed(error: unknown): void {
    const { clock, events } = this.context;
    if (!this.within(this.moment())) return;
    this.failures += 1;
    const left = this.deadline - clock.now();
    const pause = Math.min(backoffMs(this.context, this.failures), left / 2);
    this.tendAt(left > LAST_TRY_MS ? clock.now() + pause : this.deadline);
    const { key, id } = this.admitted;
    if (events.wanted) events.emit({ type: 'renewal-failed', key, claim: shorten(id), error });
  }
}

/** How much two clocks may drift apart over a lease: 1 % and 2 ms, as in redis.io's description of Redlock. */
export function driftMargin(leaseMs: number): number {
  return leaseMs / 100 + 2;
}
