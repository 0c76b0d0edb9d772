import { setTimeout as sleep } from 'node:timers/promises';
import { type Lock } from '../../lib/core/index.js';

/**
 * What a lock guards. Counts who was in it together, and like a store that knows fencing tokens it refuses a write with
 * a token that is smaller than the largest it has seen.
 */
export class GuardedResource {
  /** Of each visit, in order of arrival. */
  readonly tokens: bigint[] = [];
  /** How often somebody came in while somebody else was there. */
  overlaps = 0;
  refused = 0;
  private inside = 0;
  private largest = 0n;

  get visits(): number {
    return this.tokens.length;
  }

  /** Whether every visitor's token was larger than that of the visitor before. */
  get tokensRise(): boolean {
    return this.tokens.every((token, index) => index === 0 || token > this.tokens[index - 1]!);
  }

  async visit(lock: Lock, forMs = 1): Promise<void> {
    this.tokens.push(lock.fencingToken);
    if (this.inside > 0) this.overlaps += 1;
    this.inside += 1;
    this.write(lock.fencingToken);
    await sleep(forMs);
    this.write(lock.fencingToken);
    this.inside -= 1;
  }

  /** Whether it was accepted. */
  write(token: bigint): boolean {
    if (token < this.largest) {
      this.refused += 1;
      return false;
    }
    this.largest = token;
    return true;
  }
}
