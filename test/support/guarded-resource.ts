import { setTimeout as sleep } from 'node:timers/promises';
import { type Lock } from '../../lib/core/index.js';

/**
 * What a lock guards: a counter, in a store that knows fencing tokens and refuses one that is smaller than the largest it
 * has seen. Whoever visits reads the counter, and writes it a moment later.
 */
export class GuardedResource {
  /** Of each visit, in order of arrival. */
  readonly tokens: bigint[] = [];
  /** How often somebody came in while somebody else was there. */
  overlaps = 0;
  /** Additions that the store has accepted, and accesses that it has refused. */
  accepted = 0;
  refused = 0;
  /** Less than what was accepted if two have read the same value. */
  counter = 0;
  private inside = 0;
  private largest = 0n;

  get visits(): number {
    return this.tokens.length;
  }

  /** Whether every visitor's token was larger than that of the visitor before. */
  get tokensRise(): boolean {
    return this.tokens.every((token, index) => index === 0 || token > this.tokens[index - 1]!);
  }

  async visit({ fencingToken }: Lock, forMs = 1): Promise<void> {
    this.tokens.push(fencingToken);
    if (this.inside > 0) this.overlaps += 1;
    this.inside += 1;
    const counter = this.admits(fencingToken) ? this.counter : undefined;
    await sleep(forMs);
    if (counter !== undefined && this.admits(fencingToken)) {
      this.counter = counter + 1;
      this.accepted += 1;
    }
    this.inside -= 1;
  }

  /** Whether it lets somebody with this token read or write. */
  admits(token: bigint): boolean {
    if (token < this.largest) {
      this.refused += 1;
      return false;
    }
    this.largest = token;
    return true;
  }
}
