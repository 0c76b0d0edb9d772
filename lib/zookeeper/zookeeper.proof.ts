import { type Clock } from '../core/clock.js';
import { type Moment, momentOf } from '../core/moment.js';

/**
 * What this side knows of the life of its session.
 *
 * The leader ends a session that it has not heard of for the session's timeout. It hears of a client that is connected to
 * a follower with the follower's next sign of life, half a tick later, and a tick is at most half a timeout. So what a
 * client sends counts in time if its answer came a quarter of the timeout before the end of what was known until then;
 * and a lease is three quarters of a timeout.
 *
 * An answer that comes later leaves it open whether the leader has heard in time. It is known once the leader has had a
 * part in something that was sent a quarter of a timeout after it.
 */
export class SessionProof {
  /** The last sign of life that counts was sent then. */
  private proven: Moment;
  private doubtfulSince: Moment | undefined;

  /** With the sign of life that a new session is. */
  constructor(
    private readonly clock: Clock,
    readonly timeoutMs: number,
    sent: Moment,
  ) {
    this.proven = sent;
  }

  get leaseMs(): number {
    return (this.timeoutMs * 3) / 4;
  }

  /** Whether what is answered now is surely answered to a session that lives on for its lease. */
  get sound(): boolean {
    return this.doubtfulSince === undefined && this.since(this.proven) < this.leaseMs;
  }

  /** Nothing was heard for so long that the server has likely ended the session, or will not know it when it comes back. */
  get over(): boolean {
    const silence = this.since(this.proven);
    return (
      silence >= this.timeoutMs &&
      (this.doubtfulSince === undefined || this.since(this.doubtfulSince) >= this.timeoutMs)
    );
  }

  /** How long ago the last sign of life that counts was sent. */
  get silenceMs(): number {
    return this.since(this.proven);
  }

  /** The leader had a part in something that was sent then. */
  confirmed(sent: Moment): void {
    if (this.doubtfulSince === undefined && this.since(this.proven) >= this.leaseMs) {
      this.doubtfulSince = momentOf(this.clock);
    } else if (this.doubtfulSince === undefined || between(this.doubtfulSince, sent) >= this.timeoutMs / 4) {
      if (sent.now > this.proven.now) this.proven = sent;
      this.doubtfulSince = undefined;
    }
  }

  private since(moment: Moment): number {
    return between(moment, momentOf(this.clock));
  }
}

/** By the clock that went further: the one stands still while the machine sleeps, the other may be set. */
function between(from: Moment, to: Moment): number {
  return Math.max(to.now - from.now, to.wall - from.wall);
}
