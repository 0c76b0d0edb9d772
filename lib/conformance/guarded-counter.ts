import assert from 'node:assert/strict';
import { type Trial } from './trial.js';

/**
 * What a lock guards: a counter that is read, and written a moment later. Whoever is not alone with it loses an update.
 */
export class GuardedCounter {
  value = 0;
  private inside = 0;
  private mostInside = 0;
  private additions = 0;
  private lastToken: bigint | undefined;

  constructor(private readonly trial: Trial) {}

  /** Adds one, for a holder of the lock. With its fencing token, as a store that refuses a smaller one. */
  async add(token?: bigint): Promise<void> {
    this.additions += 1;
    this.inside += 1;
    this.mostInside = Math.max(this.mostInside, this.inside);
    if (token !== undefined) this.accept(token);
    const read = this.value;
    await this.trial.sleep(1);
    this.value = read + 1;
    this.inside -= 1;
  }

  assertExact(additions: number): void {
    assert.equal(this.mostInside, 1, 'how many were inside together');
    assert.equal(this.additions, additions, 'how many additions were made');
    assert.equal(this.value, additions, 'the counter after them');
  }

  private accept(token: bigint): void {
    if (this.lastToken !== undefined) assert.ok(token > this.lastToken, `the token ${token} follows ${this.lastToken}`);
    this.lastToken = token;
  }
}
