import { type Claim, type ClaimRequest, type Standing } from '../core/backend.js';
import { LockLostError } from '../core/errors.js';
import { type LineKey } from './redis.keys.js';
import { type CallVerb } from './redis.outbox.js';

/** A waiting claim asks about once in a lease; `calls.lua` keeps it in line for half a lease longer. */
const ASK_AGAIN_PER_LEASE = 1.1;

type Wake = (standing?: Standing) => void;

/** What `calls.lua` answers to whoever joins or asks. */
type Outcome =
  | number
  | ['in', place: number, waiting: number]
  | ['waiting', place: number, ahead: number, frontLeftMs: number, frontLeaseMs: number, reign: string]
  | ['refused', ahead: number]
  | ['late' | 'evicted' | 'deaf'];

/** How a claim reaches the server and hears of it. */
export interface ClaimPost {
  /** `mark` goes with the verbs that ask again. */
  ask(key: LineKey, verb: CallVerb, claim: string, mark?: string): Promise<unknown>;
  /** Whether a claim that is no longer in line was evicted; `forget`: and nobody will ask again. */
  evicted(mark: string, options: { readonly forget: boolean }): Promise<boolean>;
  /** Resolves when this process hears what is said in the bucket; undefined: it does. */
  listening(bucket: number): Promise<void> | undefined;
  /** It seems not to, whatever it thinks. */
  hearsNothing(): void;
  /** Claims that listen, by their ids. */
  readonly listeners: Map<string, RedisClaim>;
}

/** One claim on Redis: each verb is one call. */
export class RedisClaim implements Claim {
  /** What was asked first is sent first, also while it waits to be able to hear the answer. */
  private sent: Promise<void> | undefined;
  private readonly name: string;
  /** Only who has asked before may have been evicted. */
  private asked = false;
  /** Its place in line, by the last answer. */
  private place = 0;
  /** Where it was last told to wait, as `calls.lua` wants to know it. */
  private waitedAt = '0@';
  /** Whose word that it is in can be believed. Undefined: anybody's, for it is in, or knows no place that a word could be about. */
  private believes: string | undefined;
  private wake: Wake | undefined;

  constructor(
    private readonly post: ClaimPost,
    private readonly request: ClaimRequest,
    private readonly key: LineKey,
    node: string,
  ) {
    const { id, slots, leaseMs, yields, owner } = request;
    const share = yields === true ? '01' : slots === Infinity ? 0 : slots;
    // Not a template: that would keep each of its steps.
    const name = [share, Math.ceil(leaseMs), node, id].join(':');
    this.name = owner === undefined ? name : [name, owner].join(' ');
  }

  /** Where it says that it was evicted. */
  private get mark(): string {
    return this.key.marks + this.request.id;
  }

  attempt({ queue }: { readonly queue: boolean }): Promise<Standing> {
    const listening = this.post.listening(this.key.bucket);
    if (queue) this.sent = listening;
    // Whoever does not wait need not hear yet; but would hear late that it was evicted.
    else listening?.catch(() => undefined);
    if (this.sent === undefined) return this.ask(queue);
    return (queue ? this.sent : this.sent.catch(() => undefined)).then(() => this.ask(queue));
  }

  async renew(): Promise<boolean> {
    if ((await this.post.ask(this.key, '=', [this.place, this.name].join(' '))) === 1) return true;
    if (await this.post.evicted(this.mark, { forget: false })) throw this.forced();
    return false;
  }

  async withdraw(): Promise<boolean> {
    if (this.sent !== undefined) await this.sent.catch(() => undefined);
    if ((await this.post.ask(this.key, '-', this.name)) === 1) return true;
    await this.post.evicted(this.mark, { forget: true });
    return false;
  }

  watch(wake: Wake): () => void {
    const { id } = this.request;
    this.wake = wake;
    this.post.listeners.set(id, this);
    return () => void this.post.listeners.delete(id);
  }

  /** What was said to it, and in which reign: that of one master, since it became one. */
  told(standing?: Standing, reign?: string): void {
    this.wake?.(this.believes === undefined || this.believes === reign ? standing : undefined);
  }

  private async ask(queue: boolean): Promise<Standing> {
    let outcome = await this.join(queue);
    // Either it was late, or the server's clock was set forward, which is known by now.
    if (typeof outcome !== 'number' && outcome[0] === 'late') outcome = await this.join(queue);
    return this.standing(outcome);
  }

  private join(queue: boolean): Promise<Outcome> {
    if (!this.asked) {
      this.asked = true;
      return this.post.ask(this.key, queue ? '+' : '?', this.name) as Promise<Outcome>;
    }
    // Until it is answered, it may have been given another place: then it is not in, whoever says so of the one before.
    this.believes = '';
    const claim = [this.waitedAt, this.name].join(' ');
    return this.post.ask(this.key, queue ? '*' : '!', claim, this.mark) as Promise<Outcome>;
  }

  private standing(outcome: Outcome): Standing {
    const { leaseMs } = this.request;
    if (typeof outcome === 'number') return this.in(outcome, 0);
    switch (outcome[0]) {
      case 'in':
        return this.in(outcome[1], outcome[2]);
      case 'waiting': {
        const [, place, ahead, frontLeftMs, frontLeaseMs, reign] = outcome;
        this.believes = reign;
        this.place = place;
        this.waitedAt = `${place}@${reign}`;
        return { held: false, ahead, place: BigInt(place), askAgainMs: askAgainMs(leaseMs, frontLeftMs, frontLeaseMs) };
      }
      case 'refused':
        return { held: false, ahead: outcome[1], askAgainMs: leaseMs };
      case 'evicted':
        throw this.forced();
      case 'deaf':
        this.post.hearsNothing();
        throw new Error('its messages do not arrive');
      case 'late':
        throw new Error('the server got it too late');
    }
  }

  private in(place: number, waiting: number): Standing {
    this.believes = undefined;
    this.place = place;
    return { held: true, place: BigInt(place), leaseMs: this.request.leaseMs, waiting };
  }

  private forced(): LockLostError {
    return new LockLostError(this.request.key, 'forced');
  }
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
