import { type Claim, type ClaimRequest, type Standing } from '../core/backend.js';
import { type LineKey } from './redis.keys.js';
import { type CallVerb } from './redis.outbox.js';

export type Wake = (standing?: Standing) => void;

/** A waiting claim asks about once in a lease; `calls.lua` keeps it in line for half a lease longer. */
const ASK_AGAIN_PER_LEASE = 1.1;

/** How a claim reaches the server and hears of it. */
export interface ClaimPost {
  ask(key: LineKey, verb: CallVerb, claim: string): Promise<unknown>;
  /** Resolves when this process hears what is said in the bucket; undefined: it does. */
  listening(bucket: number): Promise<void> | undefined;
  /** It seems not to, whatever it thinks. */
  hearsNothing(): void;
  readonly wakes: Map<string, Wake>;
}

/** One claim on Redis: each verb is one call. */
export class RedisClaim implements Claim {
  /** What was asked first is sent first, also while it waits to be able to hear the answer. */
  private sent: Promise<void> | undefined;
  private readonly name: string;

  constructor(
    private readonly post: ClaimPost,
    private readonly request: ClaimRequest,
    private readonly key: LineKey,
    node: string,
  ) {
    const { id, slots, leaseMs } = request;
    // Not a template: that would keep each of its steps.
    this.name = [slots === Infinity ? 0 : slots, Math.ceil(leaseMs), node, id].join(':');
  }

  attempt({ queue }: { readonly queue: boolean }): Promise<Standing> {
    if (queue) this.sent = this.post.listening(this.key.bucket);
    const verb = queue ? '+' : '?';
    if (this.sent === undefined) return this.ask(verb);
    return (queue ? this.sent : this.sent.catch(() => undefined)).then(() => this.ask(verb));
  }

  async renew(): Promise<boolean> {
    return (await this.post.ask(this.key, '=', this.name)) === 1;
  }

  async withdraw(): Promise<boolean> {
    if (this.sent !== undefined) await this.sent.catch(() => undefined);
    return (await this.post.ask(this.key, '-', this.name)) === 1;
  }

  private async ask(verb: '+' | '?'): Promise<Standing> {
    let outcome = await this.post.ask(this.key, verb, this.name);
    // Either it was late, or the server's clock was set forward, which is known by now.
    if (isOutcome(outcome, 'late')) outcome = await this.post.ask(this.key, verb, this.name);
    return this.standing(outcome);
  }

  watch(wake: Wake): () => void {
    const { id } = this.request;
    this.post.wakes.set(id, wake);
    return () => void this.post.wakes.delete(id);
  }

  private standing(outcome: unknown): Standing {
    const { leaseMs } = this.request;
    if (typeof outcome === 'number') return { held: true, place: BigInt(outcome), leaseMs, waiting: 0 };
    if (isOutcome(outcome, 'in')) {
      return { held: true, place: BigInt(outcome[1]!), leaseMs, waiting: outcome[2]! };
    }
    if (isOutcome(outcome, 'refused')) return { held: false, ahead: outcome[1]!, askAgainMs: leaseMs };
    if (isOutcome(outcome, 'waiting')) {
      const [, place, ahead, frontLeftMs, frontLeaseMs] = outcome;
      return {
        held: false,
        ahead: ahead!,
        place: BigInt(place!),
        askAgainMs: askAgainMs(leaseMs, frontLeftMs!, frontLeaseMs!),
      };
    }
    if (isOutcome(outcome, 'deaf')) {
      this.post.hearsNothing();
      throw new Error('its messages do not arrive');
    }
    throw new Error('the server got it too late');
  }
}

function isOutcome(outcome: unknown, name: string): outcome is [string, ...number[]] {
  return Array.isArray(outcome) && outcome[0] === name;
}

/**
 * A holder that lives renews at a third of its lease, so has more than 0.6 of it left whenever one looks. One that has less
 * may be dead: ask when it would be out of line. Otherwise once in a lease is enough, and costs at most 0.43 of one if the
 * holder dies just now.
 */
function askAgainMs(leaseMs: number, frontLeftMs: number, frontLeaseMs: number): number {
  const oncePerLease = ASK_AGAIN_PER_LEASE * Math.min(leaseMs, frontLeaseMs);
  return frontLeftMs < 0.6 * frontLeaseMs ? Math.min(Math.max(0, frontLeftMs) + 10, oncePerLease) : oncePerLease;
}
