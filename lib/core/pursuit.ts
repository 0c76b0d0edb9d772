import { type Answer, isPending } from './answer.js';
import { backoffMs } from './backoff.js';
import { type Claim, type Held, type Standing, type Waiting } from './backend.js';
import { Bell } from './bell.js';
import { type Context, track } from './context.js';
import { Ear, type Listener } from './ear.js';
import { isLockError } from './errors.js';
import { Hold, type Unwatch } from './hold.js';
import { inTime, PATIENCE_MS } from './in-time.js';
import { leave } from './leave.js';
import { drift, driftMargin, type Moment, momentAfter, momentOf } from './moment.js';
import { type Terms } from './options.js';
import { quietly } from './quietly.js';
import { checked, isHeld } from './standing.js';

/** Who is told how a pursuit goes. */
export interface Pursuer<Caller> {
  /** The claim is in. */
  admitted(pursuit: Pursuit<Caller>, hold: Hold): void;
  /** The backend answered or failed to; `standing` and `trouble` are new. The pursuit goes on unless it is given up. */
  progressed(pursuit: Pursuit<Caller>): void;
  /** It cannot be had. The pursuit is over. */
  failed(pursuit: Pursuit<Caller>, error: unknown): void;
}

/** A question on its way, and when it was sent. */
interface Ask {
  readonly sent: Moment;
  readonly answer: Answer<Standing>;
}

/** "Held" is of no use when it comes too late to be believed. That often in a row, and the backend is too slow for the lease. */
const UNUSABLE_ANSWERS = 5;

/**
 * One claim's way to the front of its line: ask, sleep until woken or until it is time to ask again, ask again.
 *
 * A failed ask is not known to have failed. It is repeated, since asking is idempotent, until an answer comes, the
 * backend says that it is pointless, or the backend has been silent for a whole lease (and some seconds, if that is short),
 * counted from the first ask that failed: that nobody asked before is no silence. Whatever ends the pursuit before the
 * claim is in, the claim leaves the line, after the last ask has settled.
 */
export class Pursuit<Caller = unknown> implements Listener {
  readonly id: string;
  /** Whom it is for; undefined once it is nobody's any more. */
  caller: Caller | undefined;
  /** The last answer, while there is one. */
  standing: Waiting | undefined;
  /** Why the last ask failed; undefined when it was answered. */
  trouble: unknown;
  private readonly bell: Bell<Standing>;
  private readonly ear = new Ear(this);
  private done: Promise<void> | undefined;
  private asking = false;
  private inLine = false;
  private givenUp = false;
  private queue: boolean;
  private readonly yields: boolean;
  private readonly owner: string | undefined;
  /** It is known to be in, or will be when its ask is answered, and to be wanted by somebody else. */
  private wanted = false;
  /** When the last ask that was answered was sent: the claim's lease is known to last from then. */
  private answered!: Moment;

  constructor(
    private readonly context: Context,
    private readonly pursuer: Pursuer<Caller>,
    readonly key: string,
    readonly terms: Terms,
    { queue, yields, owner }: { readonly queue: boolean; readonly yields: boolean; readonly owner: string | undefined },
  ) {
    this.id = context.random.id();
    this.queue = queue;
    this.yields = yields;
    this.owner = owner;
    this.bell = new Bell(context);
  }

  /** Asks for the first time, at once. */
  begin(): void {
    if (!this.givenUp) this.context.detached(() => this.pursue());
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
    if (this.done !== undefined) track(this.context, this.done);
  }

  private pursue(): void {
    let claim: Claim;
    let unwatch: Unwatch;
    try {
      const { key, id, yields, owner } = this;
      const { slots, leaseMs } = this.terms;
      claim = this.context.backend.claim({ key, id, slots, leaseMs, yields, owner });
      unwatch = claim.watch?.(this.ear.listening());
    } catch (error) {
      this.pursuer.failed(this, error);
      return;
    }
    const first = this.ask(claim);
    // Nothing has been answered yet: silence counts from here.
    this.answered = first.sent;
    const { answer } = first;
    if (!isPending(answer)) this.heard(claim, unwatch, first, answer);
    else {
      this.done = answer.then(
        (standing) => this.heard(claim, unwatch, first, standing),
        () => this.follow(claim, unwatch, first),
      );
    }
  }

  /** Mostly the first answer is that it is in: then there is nothing to follow. */
  private heard(claim: Claim, unwatch: Unwatch, first: Ask, standing: Standing): Promise<void> | undefined {
    if (this.givenUp || !isHeld(standing) || !this.usable(standing)) {
      this.done = this.follow(claim, unwatch, first);
      return this.done;
    }
    this.asking = false;
    this.admit(claim, unwatch, standing);
    return undefined;
  }

  private async follow(claim: Claim, unwatch: Unwatch, first: Ask): Promise<void> {
    const held = await this.askUntilHeld(claim, first);
    if (held !== undefined && !this.givenUp) {
      this.admit(claim, unwatch, held);
      return;
    }
    quietly(unwatch);
    if (held !== undefined || this.inLine) await this.leave(claim);
  }

  private admit(claim: Claim, unwatch: Unwatch, held: Held): void {
    this.done = undefined;
    const { key, id, terms } = this;
    const hold = new Hold(this.context, { key, id, terms, claim, unwatch }, held, this.answered);
    if (this.wanted) hold.wanted = true;
    this.ear.owner = hold;
    this.pursuer.admitted(this, hold);
  }

  /** Undefined when it ends otherwise. */
  private async askUntilHeld(claim: Claim, first: Ask): Promise<Held | undefined> {
    const { clock } = this.context;
    const { leaseMs } = this.terms;
    let unusable = 0;
    let silentSince: number | undefined;
    let next: Ask | undefined = first;
    for (let failures = 0; next !== undefined || !this.givenUp;) {
      const { sent, answer }: Ask = next ?? this.ask(claim);
      next = undefined;
      let standing: Standing | undefined;
      try {
        standing = checked(await answer);
        this.asking = false;
        this.answered = sent;
        this.trouble = undefined;
        silentSince = undefined;
        failures = 0;
      } catch (error) {
        this.asking = false;
        this.trouble = error;
        failures += 1;
        silentSince ??= sent.now;
        if (this.givenUp) return undefined;
        if (isLockError(error) || !this.queue || clock.now() - silentSince >= Math.max(leaseMs, PATIENCE_MS)) {
          this.pursuer.failed(this, error);
          return undefined;
        }
      }
      if (standing?.held) {
        if (this.usable(standing)) return standing;
        if ((unusable += 1) >= UNUSABLE_ANSWERS) {
          this.pursuer.failed(this, new Error(`the backend answers too late for a lease of ${leaseMs} ms`));
          return undefined;
        }
        continue;
      }
      unusable = 0;
      if (standing !== undefined) {
        this.standing = standing;
        this.inLine = this.queue;
      }
      if (!this.givenUp) this.pursuer.progressed(this);
      if (this.givenUp) return undefined;
      const word = await this.bell.sleep(
        standing === undefined ? backoffMs(this.context, failures) : this.pauseMs(standing),
      );
      if (word?.held && this.isAboutThis(word) && this.usable(word)) return word;
    }
    return undefined;
  }

  private ask(claim: Claim): Ask {
    this.asking = true;
    this.inLine = true;
    const { context, queue, terms } = this;
    const sent = momentOf(context.clock);
    const patienceMs = Math.min(terms.leaseMs, PATIENCE_MS);
    return { sent, answer: inTime(context, patienceMs, () => claim.attempt({ queue })) };
  }

  /** Not when it came too late, or the machine slept meanwhile: asking again restarts the lease and tells whether it stands. */
  private usable({ leaseMs }: Held): boolean {
    const marginMs = driftMargin(leaseMs);
    const moment = momentAfter(this.answered, this.context.clock, marginMs);
    const slept = drift(this.answered, moment);
    // A sleep too short to be told from drift has used up what it lasted.
    const leftMs = this.answered.now + leaseMs - marginMs - moment.now - Math.max(0, slept);
    return leftMs > 0 && Math.abs(slept) <= marginMs;
  }

  /** A word may be late: about a place that this claim had before its lease ended and it joined anew. Then it only wakes. */
  private isAboutThis({ place }: Held): boolean {
    return this.standing?.place === place;
  }

  woken(standing?: Standing): void {
    // It may overtake the answer that tells of the admission.
    if (standing?.held && standing.waiting > 0) this.wanted = true;
    this.bell.ring(standing);
  }

  private async leave(claim: Claim): Promise<void> {
    await leave(this.context, { key: this.key, id: this.id, leaseMs: this.terms.leaseMs, claim });
  }

  /** A little early by chance, so that those who began to wait together do not ask together. */
  private pauseMs({ askAgainMs }: Waiting): number {
    return askAgainMs * (1 - this.context.random.fraction() / 10);
  }
}
