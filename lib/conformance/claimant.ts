import assert from 'node:assert/strict';
import { format } from 'node:util';
import { type Claim, type ClaimRequest, type Held, type LockBackend } from '../core/backend.js';
import { type Standing, type Waiting } from '../core/backend.js';
import { LockLostError } from '../core/errors.js';
import { type Trial } from './trial.js';

/**
 * A claim in the hands of a case, which says of it what must be true: `await second.waits(1)`.
 *
 * Where the fixture lets calls reject, a call is repeated until it is answered. Whether a withdrawal that was repeated
 * found its claim in line is then not known, and either answer is right.
 */
export class Claimant {
  /** When it last asked to stay in line: no lease of it ends sooner than a lease after this. */
  private askedAt = 0;

  constructor(
    private readonly trial: Trial,
    readonly request: ClaimRequest,
    private readonly claim: Claim,
  ) {}

  get id(): string {
    return this.request.id;
  }

  get slots(): number {
    return this.request.slots;
  }

  /** Joins the line or asks again. */
  async asks(): Promise<Standing> {
    return this.attempt(true);
  }

  /** Asks, and must be in. */
  async holds(): Promise<Held> {
    return this.asHeld(await this.asks());
  }

  /** Asks, and must stand behind so many, those not counted that hold the key for as long as the case runs. */
  async waits(ahead: number): Promise<Waiting> {
    return this.asWaiting(await this.asks(), ahead);
  }

  /** Tries without queueing, and must be in. */
  async getsInAtOnce(): Promise<Held> {
    return this.asHeld(await this.attempt(false));
  }

  /** Tries without queueing, and must be refused. */
  async isRefused(): Promise<void> {
    assert.equal((await this.attempt(false)).held, false, `${this.id} was let in, and should have been refused`);
  }

  /** Asks for as long as it takes, as often as the backend wants it and more. */
  async comesIn(withinMs: number = this.trial.patienceMs): Promise<Held> {
    const { trial } = this;
    const deadline = trial.now() + withinMs;
    for (;;) {
      const standing = await this.asks();
      if (standing.held) return standing;
      assert.ok(trial.now() < deadline, `${this.id} was not let in within ${withinMs} ms`);
      await trial.sleep(Math.min(standing.askAgainMs, trial.leaseMs / 10));
    }
  }

  /** Renews, and must still be in. */
  async renews(): Promise<void> {
    assert.equal(await this.renew(), true, `the renewal of ${this.id} was refused`);
  }

  /** Renews, and must be told that it is too late. */
  async renewsInVain(): Promise<void> {
    assert.equal(await this.renew(), false, `the renewal of ${this.id} was confirmed, and should have been refused`);
  }

  /** Withdraws, and must have been in line. */
  async leaves(): Promise<void> {
    await this.withdraws(true);
  }

  /** Withdraws, and must not have been in line. */
  async hasLeft(): Promise<void> {
    await this.withdraws(false);
  }

  /** Is taken out of line by a client, and must have been in it. */
  async isEvictedBy(client: LockBackend): Promise<void> {
    await this.evicted(client, true);
  }

  /** A client tries to take it out of line, and must be told that it is not there. */
  async isNotEvictedBy(client: LockBackend): Promise<void> {
    await this.evicted(client, false);
  }

  /** Asks, waiting or not, and must be told that it was evicted. */
  async asksEvicted(): Promise<void> {
    for (const queue of [true, false]) await this.isTold(() => this.attempt(queue), 'asked');
  }

  /** Renews, and must be told that it was evicted. */
  async renewsEvicted(): Promise<void> {
    await this.isTold(() => this.renew(), 'renewed');
  }

  /** Sends an attempt, and a withdrawal without waiting for the answer. */
  async joinsAndLeavesInOneBreath(): Promise<void> {
    const joined = Promise.allSettled([this.claim.attempt({ queue: true })]);
    let sent: Promise<boolean> | undefined = this.claim.withdraw();
    await this.trial.ask(() => {
      const withdrawal = sent ?? this.claim.withdraw();
      sent = undefined;
      return withdrawal;
    });
    await joined;
  }

  /** Is told of wakes from now on, until the function that this returns is called. */
  watch(wake: (standing?: Standing) => void): () => void {
    const { name } = this.trial.fixture;
    if (this.claim.watch === undefined) assert.fail(`claims of ${name} have no watch(): write it, or skip this test`);
    return this.claim.watch(wake);
  }

  /** Whether a claim that was let in just now was let in only after the lease of this one, which gave no sign of life. */
  assertLeaseEnded(leaseMs: number): void {
    // Two clocks may differ by as much.
    const driftMs = leaseMs / 100 + 2;
    const leftMs = this.askedAt + leaseMs - driftMs - this.trial.now();
    assert.ok(leftMs <= 0, `${this.id} had ${Math.ceil(leftMs)} ms of its lease left when the next one was let in`);
  }

  /** Out of line, whatever was asked before. */
  async goesAway(): Promise<void> {
    await this.trial.ask(() => this.claim.withdraw());
  }

  private async attempt(queue: boolean): Promise<Standing> {
    this.askedAt = this.trial.now();
    const { answer } = await this.trial.ask(() => this.claim.attempt({ queue }));
    return answer;
  }

  private async renew(): Promise<boolean> {
    const askedAt = this.trial.now();
    const { answer } = await this.trial.ask(() => this.claim.renew());
    if (answer) this.askedAt = askedAt;
    return answer;
  }

  private async withdraws(expected: boolean): Promise<void> {
    const { answer, repeated } = await this.trial.ask(() => this.claim.withdraw());
    if (!repeated) assert.equal(answer, expected, `whether ${this.id} was in line when it withdrew`);
  }

  private async evicted(client: LockBackend, expected: boolean): Promise<void> {
    const { key, id } = this.request;
    const { answer, repeated } = await this.trial.ask(() => client.evict(key, id));
    if (!repeated) assert.equal(answer, expected, `whether ${id} was in line when it was evicted`);
  }

  private async isTold(call: () => Promise<unknown>, did: string): Promise<void> {
    const error = await call().then(
      (answer) => assert.fail(`${this.id} ${did} after it was evicted, and was answered ${format(answer)}`),
      (reason: unknown) => reason,
    );
    const told = error instanceof LockLostError && error.reason === 'forced';
    assert.ok(told, `${this.id} ${did} after it was evicted, and was told: ${String(error)}`);
  }

  private asHeld(standing: Standing): Held {
    if (!standing.held) assert.fail(`${this.id} should be in, and waits behind ${standing.ahead}`);
    return standing;
  }

  private asWaiting(standing: Standing, ahead: number): Waiting {
    if (standing.held) assert.fail(`${this.id} should wait behind ${ahead}, and is in`);
    assert.equal(standing.ahead - this.trial.taken(this.request.key), ahead, `how many stand ahead of ${this.id}`);
    return standing;
  }
}
