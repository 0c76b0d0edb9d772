import { backoffMs } from './backoff.js';
import { type Claim, type Standing, type Waiting } from './backend.js';
import { Bell } from './bell.js';
import { type Context } from './context.js';
import { isLockError } from './errors.js';
import { driftMargin, Hold, type Moment } from './hold.js';
import { inTime, NoAnswerError } from './in-time.js';
import { leave } from './leave.js';
import { type Terms } from './options.js';

/** Who is told how a pursuit goes. */
export interface Pursuer {
  /** The claim is in. Nobody wants it any more: it must be left. */
  admitted(pursuit: Pursuit, hold: Hold): void;
  /** The backend answered or failed to; `standing` and `trouble` are new. The pursuit goes on unless it is given up. */
  progressed(pursuit: Pursuit): void;
  /** It cannot be had. The pursuit is over. */
  failed(pursuit: Pursuit, error: unknown): void;
}

/**
 * One claim's way to the front of its line: ask, sleep until woken or until it is time to ask again, ask again.
 *
 * A failed ask is not known to have failed. It is repeated, since asking is idempotent, until an answer comes, the
 * backend says that it is pointless, or the backend has been silent for a whole lease, when the claim is out of line
 * anyway. Whatever ends the pursuit before the claim is in, the claim leaves the line, after the last ask has settled.
 */
export class Pursuit {
  readonly id: string;
  /** The last answer, while there is one. */
  standing: Waiting | undefined;
  /** Why the last ask failed; undefined when it was answered. */
  trouble: unknown;
  private readonly claim: Claim;
  private readonly bell: Bell<Standing>;
  private readonly unwatch: (() => void) | undefined;
  private hold: Hold | undefined;
  private asking = false;
  private givenUp = false;
  private queue: boolean;

  constructor(
    private readonly context: Context,
    private readonly pursuer: Pursuer,
    readonly key: string,
    readonly terms: Terms,
    { queue }: { readonly queue: boolean },
  ) {
    this.id = context.claimId();
    this.queue = queue;
    this.bell = new Bell(context);
    this.claim = context.backend.claim({ key, id: this.id, ...terms });
    this.unwatch = this.claim.watch?.((standing) => this.wake(standing));
    void this.pursue();
  }

  /** Whether the next refusal ends it: then the claim is out of line, and of no use to anybody else. */
  get lastTry(): boolean {
    return !this.queue;
  }

  /** Asks now, for the last time if `queue` is false. An ask that is under way already counts as that. */
  hurry({ queue }: { readonly queue: boolean }): void {
    if (this.asking) return;
    this.queue = queue;
    this.bell.ring();
  }

  /** Nobody wants the claim any more. */
  giveUp(): void {
    this.givenUp = true;
    this.bell.ring();
  }

  private wake(standing?: Standing): void {
    if (this.hold === undefined) this.bell.ring(standing);
    else if (standing === undefined) this.hold.confirm();
  }

  private async pursue(): Promise<void> {
    const { clock } = this.context;
    const { leaseMs } = this.terms;
    let inLine = false;
    let answeredAt = clock.now();
    for (let failures = 0; !this.givenUp;) {
      const sent: Moment = { now: clock.now(), wall: clock.wall() };
      inLine = true;
      let standing: Standing | undefined;
      try {
        standing = await this.ask();
        failures = 0;
        answeredAt = sent.now;
        this.trouble = undefined;
      } catch (error) {
        failures += 1;
        this.trouble = error;
        if (this.givenUp) break;
        if (isLockError(error) || !this.queue || clock.now() - answeredAt >= leaseMs) {
          this.pursuer.failed(this, error);
          break;
        }
      }
      if (standing?.held) {
        if (this.admit(standing, sent)) return;
        this.trouble = new NoAnswerError(this.context.backend.name, standing.leaseMs);
      } else if (standing !== undefined) {
        this.standing = standing;
        inLine = this.queue;
      }
      if (!this.givenUp) this.pursuer.progressed(this);
      if (this.givenUp) break;
      const pauseMs = standing === undefined ? backoffMs(this.context, failures) : this.askAgainMs(standing);
      const word = await this.bell.sleep(pauseMs);
      if (word?.held && !this.givenUp && this.admit(word, sent)) return;
    }
    this.unwatch?.();
    if (inLine) void leave(this.context, { key: this.key, id: this.id, leaseMs, claim: this.claim });
  }

  private async ask(): Promise<Standing> {
    this.asking = true;
    try {
      return await inTime(this.context, this.terms.leaseMs, async () => this.claim.attempt({ queue: this.queue }));
    } finally {
      this.asking = false;
    }
  }

  /** Not when the answer came too late to be of use: asking again restarts the lease and tells whether it still stands. */
  private admit(standing: Standing & { readonly held: true }, sent: Moment): boolean {
    const { key, id, terms, claim, unwatch } = this;
    if (this.givenUp) return false;
    if (this.context.clock.now() >= sent.now + standing.leaseMs - driftMargin(standing.leaseMs)) return false;
    this.hold = new Hold(this.context, { key, id, terms, claim, unwatch }, standing, sent);
    this.pursuer.admitted(this, this.hold);
    return true;
  }

  /** A little early by chance, so that those who began to wait together do not ask together. Held, but too late: at once. */
  private askAgainMs(standing: Standing): number {
    if (standing.held) return 0;
    return standing.askAgainMs * (1 - this.context.random.fraction() / 10);
  }
}
