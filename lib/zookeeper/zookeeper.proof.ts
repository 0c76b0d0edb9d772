import { type Clock } from '../core/clock.js';
import { type Moment, momentOf } from '../core/moment.js';

/** All of these are parts of the session's timeout. What is left of it, a sixteenth, is for clocks that are not alike. */
const LEASE = 1 / 2;
const FOLLOWER_TELLS_WITHIN = 1 / 4;
const OLDEST_PROOF = 7 / 16;
/** How often something is to be sent that the leader has a part in. */
export const SIGNS_PER_TIMEOUT = 16;

interface Sign {
  readonly sent: Moment;
  readonly answeredAt: number;
}

/**
 * What this side knows of the life of its session.
 *
 * The leader ends a session that it has not heard of for the session's timeout. What it is asked through a follower does not
 * count for it: it hears of a session when the follower next says whose clients are alive, which is every half tick, and a
 * tick is at most half a timeout. So a sign of life is proven to have counted by the answer to another that was sent a quarter
 * of a timeout after its own answer, since a follower speaks with the leader in order. Every lease is half a timeout, and is
 * given while the last proven sign is less than half a timeout old.
 */
export class SessionProof {
  private heardAt: number;
  /** Answered, oldest first, and not many, however much is asked. */
  private readonly unproven: Sign[] = [];

  /** `proven`: the leader has made the session, or has heard of it, since then. */
  constructor(
    private readonly clock: Clock,
    readonly timeoutMs: number,
    private proven: Moment,
  ) {
    this.heardAt = clock.now();
  }

  get leaseMs(): number {
    return this.timeoutMs * LEASE;
  }

  /** Whether the session surely lives on for a lease. */
  get sound(): boolean {
    const now = momentOf(this.clock);
    // By the clock that went further: the one stands still while the machine sleeps, the other may be set.
    const age = Math.max(now.now - this.proven.now, now.wall - this.proven.wall);
    return age < this.timeoutMs * OLDEST_PROOF;
  }

  /** Nothing was answered for so long that the server has likely ended the session. */
  get over(): boolean {
    return this.clock.now() - this.heardAt >= this.timeoutMs;
  }

  /** The leader had a part in something that was sent then. */
  answered(sent: Moment): void {
    const answeredAt = this.clock.now();
    this.heardAt = answeredAt;
    const told = sent.now - this.timeoutMs * FOLLOWER_TELLS_WITHIN;
    while (this.unproven.length > 0 && this.unproven[0]!.answeredAt <= told) this.proven = this.unproven.shift()!.sent;
    const last = this.unproven.at(-1);
    if (last === undefined || sent.now - last.sent.now >= this.timeoutMs / SIGNS_PER_TIMEOUT / 2) {
      this.unproven.push({ sent, answeredAt });
    }
  }
}
