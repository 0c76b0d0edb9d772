import { holders } from './admission.js';
import { type Answer } from './answer.js';
import { asLockError } from './as-lock-error.js';
import { type Context } from './context.js';
import { isForced, isLockError, type LockError, LockUnavailableError } from './errors.js';
import { Few } from './few.js';
import { type HeldLock } from './held-lock.js';
import { type Hold } from './hold.js';
import { NoAnswerError } from './in-time.js';
import { type Defaults, type Terms, type Wish } from './options.js';
import { type Pursuer, Pursuit } from './pursuit.js';
import { type Successors, Tenancies } from './tenancies.js';
import { Waiter } from './waiter.js';

/**
 * The callers of one process that want one key, in order of arrival: those who hold it, each on a claim that is in, and
 * behind them those who wait.
 *
 * Only the front waiter has a claim in the backend's line; the others wait in memory. (A caller that does not wait has a
 * claim of its own, for its one try.) When a caller releases an exclusive lock, the front waiter takes its claim over, up
 * to `localHandOffs` times in a row: no command, no round trip. Then the claim is withdrawn, and the process joins the
 * back of the line. So while the front waiter can expect such a hand-off, not even it has a claim of its own.
 *
 * With `retainMs` a claim that nobody of this process waits for stays in, unless somebody else wants it, and goes to the next
 * caller that comes.
 *
 * With `localHandOffs: 0` every waiter has its own claim at once, and the backend's line orders all callers of all
 * processes.
 */
export class LocalLine implements Pursuer<Waiter>, Successors {
  private readonly waiters = new Few<Waiter>();
  private readonly tenancies: Tenancies;
  private joining = false;

  constructor(
    private readonly context: Context,
    private readonly defaults: Defaults,
    readonly key: string,
    private readonly emptied: (line: LocalLine) => void,
  ) {
    this.tenancies = new Tenancies(context, key, this);
  }

  join(wish: Wish): Answer<HeldLock> {
    // Whoever looks at a hold may be the first to learn that it is lost: nobody must give up the line meanwhile.
    // So may somebody who is told of the loss and joins at once, in the midst of this.
    const { joining } = this;
    this.joining = true;
    try {
      return this.served(new Waiter(this.context, wish));
    } finally {
      this.joining = joining;
      this.tellIfEmpty();
    }
  }

  private served(waiter: Waiter): Answer<HeldLock> {
    const { wish } = waiter;
    if (this.tenancies.resume(waiter)) return waiter.served;
    const { maxWaiters } = this.defaults;
    const ahead = this.tenancies.size + this.waiters.size;
    if (wish.waitMs === 0 && this.surelyBusy(wish)) {
      throw new LockUnavailableError(this.key, { waitedMs: 0, ahead });
    }
    if (this.waiters.size >= maxWaiters) {
      const advice = `maxWaiters (${maxWaiters}) callers of this process wait for it already`;
      throw new LockUnavailableError(this.key, { waitedMs: 0, ahead, advice });
    }
    waiter.expired = wish.waitMs === 0;
    this.waiters.add(waiter);
    if (wish.signal !== undefined) waiter.heed((reason) => this.dismiss(waiter, reason));
    if (this.strict || waiter.expired) this.pursue(waiter);
    else this.serveFront();
    if (waiter.settled) return waiter.served;
    if (wish.waitMs > 0) waiter.hasUntilDeadline(() => this.timeUp(waiter));
    if (waiter.pursuit === undefined) this.tellQueued(waiter, ahead);
    return waiter.served;
  }

  /** How many callers wait in memory behind the claim of this id. */
  waitersBehind(claimId: string): number {
    const front = this.front();
    if (this.strict || front === undefined) return 0;
    if (front.pursuit !== undefined) return front.pursuit.id === claimId ? this.waiters.size - 1 : 0;
    return this.tenancies.holds().first?.admitted.id === claimId ? this.waiters.size : 0;
  }

  /** These wait no longer. */
  dismissAll(which: (waiter: Waiter) => boolean, why: () => LockError): void {
    const dismissed = [...this.waiters].filter(which);
    for (const waiter of dismissed) this.waiters.delete(waiter);
    for (const waiter of dismissed) {
      this.detach(waiter);
      this.reject(waiter, why());
    }
    this.moved();
  }

  /** Nobody is expected any longer. */
  yieldRetained(): void {
    this.tenancies.yieldRetained();
  }

  /** Nobody holds it any longer. */
  evictAll(): void {
    this.tenancies.evictAll();
  }

  // A claim has news.

  admitted(pursuit: Pursuit<Waiter>, hold: Hold): void {
    const waiter = pursuit.caller!;
    this.waiters.delete(waiter);
    pursuit.caller = undefined;
    waiter.pursuit = undefined;
    this.tenancies.admit(hold, waiter);
    this.serveFront();
  }

  progressed(pursuit: Pursuit<Waiter>): void {
    const waiter = pursuit.caller!;
    if (waiter.expired) this.dismiss(waiter, this.whyNot(waiter));
    else if (pursuit.standing !== undefined) this.tellQueued(waiter, pursuit.standing.ahead);
  }

  failed(pursuit: Pursuit<Waiter>, error: unknown): void {
    const waiter = pursuit.caller!;
    if (isForced(error)) {
      this.forced(pursuit, waiter);
      return;
    }
    // A last try fails for its own caller alone. Otherwise whoever waits in memory with the same terms waited for this answer.
    const alone = this.strict || pursuit.lastTry;
    this.dismissAll(
      (each) => each === waiter || (!alone && each.pursuit === undefined && sameTerms(each.wish, waiter.wish)),
      () => this.asLockError(error),
    );
  }

  // A hold has news.

  successorTo(hold: Hold): Waiter | undefined {
    const front = this.front();
    if (front === undefined || front.pursuit !== undefined || !this.passesTo(hold, front) || !hold.sound)
      return undefined;
    this.waiters.delete(front);
    return front;
  }

  retainMs(hold: Hold): number {
    const { localHandOffs, retainMs } = this.defaults;
    const { draining } = this.context;
    if (retainMs === 0 || hold.terms.slots !== 1 || hold.handOffs >= localHandOffs) return 0;
    // An exclusive one that is not alone is lost, or the other is, and nobody knows which.
    if (this.tenancies.size > 1) return 0;
    return hold.wanted || draining || this.waiters.size > 0 || !hold.sound ? 0 : retainMs;
  }

  /**
   * Only an exclusive claim is passed on. A shared one has others in beside it, of this process or of any, that came in
   * after it: whoever took it over now would have a smaller fencing token than they.
   */
  passesTo({ terms, handOffs }: Hold, { wish }: Waiter): boolean {
    return terms.slots === 1 && sameTerms(terms, wish) && handOffs < this.defaults.localHandOffs;
  }

  moved(): void {
    this.serveFront();
    this.tellIfEmpty();
  }

  // Waiting.

  private get strict(): boolean {
    return this.defaults.localHandOffs === 0;
  }

  private front(): Waiter | undefined {
    return this.waiters.first;
  }

  /** Known without asking: the rule does not let it in behind those of this process of whom it is known how they stand. */
  private surelyBusy(terms: Terms): boolean {
    return !admitsLast([...this.tenancies.terms(), ...this.queuedTerms(), terms]);
  }

  private queuedTerms(): Terms[] {
    if (this.strict) return [];
    return [...this.waiters].filter(({ pursuit }) => pursuit?.standing !== undefined).map(({ wish }) => wish);
  }

  /**
   * Sends the next claim to the backend, or as many as can expect to come in together: where some of this process are in
   * already, those who can share with them need not wait for each other's answers. One that has to wait is enough.
   */
  private serveFront(): void {
    if (this.strict || this.waiters.size === 0) return;
    const line = this.tenancies.terms();
    for (const waiter of this.waiters) {
      line.push(waiter.wish);
      const { pursuit } = waiter;
      if (pursuit !== undefined && (pursuit.standing !== undefined || this.tenancies.size === 0)) return;
      if (pursuit !== undefined) continue;
      const admitted = admitsLast(line);
      if (!admitted && (line.length > this.tenancies.size + 1 || this.mayTakeOver(waiter))) return;
      this.pursue(waiter);
      if (!admitted || this.tenancies.size === 0) return;
    }
  }

  private mayTakeOver(waiter: Waiter): boolean {
    for (const hold of this.tenancies.holds()) if (this.passesTo(hold, waiter)) return true;
    return false;
  }

  private pursue(waiter: Waiter): void {
    const { slots, leaseMs, site } = waiter.wish;
    const yields = slots === 1 && this.defaults.retainMs > 0;
    const options = { queue: !waiter.expired, yields, owner: this.defaults.ownerAt(site) };
    const pursuit = new Pursuit<Waiter>(this.context, this, this.key, { slots, leaseMs }, options);
    this.attach(waiter, pursuit);
    const { yielding } = this.tenancies;
    if (yielding === undefined || !waiter.expired) pursuit.begin();
    else void yielding.then(() => pursuit.begin());
  }

  private attach(waiter: Waiter, pursuit: Pursuit<Waiter>): void {
    waiter.pursuit = pursuit;
    pursuit.caller = waiter;
  }

  /** Somebody who no longer waits leaves its claim, with its place, to the next who can use it. */
  private detach(waiter: Waiter): void {
    const { pursuit } = waiter;
    if (pursuit === undefined) return;
    waiter.pursuit = undefined;
    pursuit.caller = undefined;
    const heir = pursuit.lastTry ? undefined : this.heirOf(waiter);
    if (heir === undefined) pursuit.giveUp();
    else this.attach(heir, pursuit);
  }

  private heirOf(waiter: Waiter): Waiter | undefined {
    if (this.strict) return undefined;
    for (const next of this.waiters) {
      if (next === waiter || next.pursuit !== undefined) continue;
      return sameTerms(next.wish, waiter.wish) ? next : undefined;
    }
    return undefined;
  }

  private tellQueued(waiter: Waiter, ahead: number): void {
    const { events } = this.context;
    if (waiter.queued || !events.wanted) return;
    waiter.queued = true;
    events.emit({ type: 'queued', key: this.key, site: waiter.wish.site, ahead });
  }

  /** One last try, with which the claim leaves the line unless somebody else of this process can use its place. */
  private timeUp(waiter: Waiter): void {
    const { pursuit } = waiter;
    waiter.expired = true;
    if (pursuit === undefined || pursuit.trouble !== undefined) this.dismiss(waiter, this.whyNot(waiter));
    else pursuit.hurry({ queue: this.heirOf(waiter) !== undefined });
  }

  private dismiss(waiter: Waiter, reason: unknown): void {
    this.waiters.delete(waiter);
    this.detach(waiter);
    this.reject(waiter, reason);
    this.moved();
  }

  private reject(waiter: Waiter, reason: unknown): void {
    const { events } = this.context;
    const { waitedMs } = waiter;
    waiter.fail(reason);
    if (!events.wanted) return;
    const subject = { key: this.key, site: waiter.wish.site, waitedMs };
    if (isLockError(reason)) events.emit({ ...subject, type: 'timed-out', error: reason });
    else events.emit({ ...subject, type: 'aborted' });
  }

  /** The claim was taken away, and its caller goes with it. Those who wait in memory behind it want one of their own now. */
  private forced(pursuit: Pursuit<Waiter>, waiter: Waiter): void {
    const { waitedMs } = waiter;
    const ahead = this.ahead(waiter);
    pursuit.caller = undefined;
    waiter.pursuit = undefined;
    pursuit.giveUp();
    this.dismiss(waiter, new LockUnavailableError(this.key, { waitedMs, ahead, reason: 'forced' }));
  }

  private whyNot(waiter: Waiter): LockError {
    const { waitedMs } = waiter;
    // Whoever waits in memory waits for what the front is answered, unless it is known that this process holds the key.
    const asked = waiter.pursuit ?? (this.tenancies.size === 0 ? this.front()?.pursuit : undefined);
    if (asked?.trouble !== undefined) return this.asLockError(asked.trouble);
    if (asked !== undefined && asked.standing === undefined) {
      return this.asLockError(new NoAnswerError(this.context.backend.name, waitedMs));
    }
    return new LockUnavailableError(this.key, { waitedMs, ahead: this.ahead(waiter) });
  }

  /** As far as is known: the front waiter knows the line, the others know the front. */
  private ahead(waiter: Waiter): number {
    let ahead = this.front()?.pursuit?.standing?.ahead ?? this.tenancies.size;
    if (this.strict) return waiter.pursuit?.standing?.ahead ?? ahead;
    for (const other of this.waiters) {
      if (other === waiter) break;
      ahead += 1;
    }
    return ahead;
  }

  private asLockError(error: unknown): LockError {
    return asLockError(error, { key: this.key, backend: this.context.backend.name });
  }

  private tellIfEmpty(): void {
    const { size, yielding } = this.tenancies;
    const empty = this.waiters.size === 0 && size === 0 && yielding === undefined;
    if (empty && !this.joining) this.emptied(this);
  }
}

function admitsLast(line: readonly Terms[]): boolean {
  return holders(line) === line.length;
}

function sameTerms(a: Terms, b: Terms): boolean {
  return a.slots === b.slots && a.leaseMs === b.leaseMs;
}
