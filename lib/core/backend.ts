import { type Answer } from './answer.js';

/**
 * The contract between the core and a place where locks live.
 *
 * A backend keeps one line of claims per key, in order of arrival, and knows the rule of `admission.ts`. It owns nothing
 * else: waiting, deadlines, aborts, retries, renewal, loss, local hand-off, events and error wrapping belong to the
 * core, so that no backend can get those wrong, or differently.
 *
 * What every backend may rely on:
 * - The calls of one claim never overlap, unless an earlier one went unanswered for so long that the core counts it as
 *   lost: seconds, or for a renewal half of what was left of the lease.
 * - After the first `withdraw`, a claim is only ever withdrawn again.
 *
 * What every backend must hold:
 * - Every call may be repeated, every reply may be lost: all calls are idempotent on `ClaimRequest.id`.
 * - A call that was sent after another on the same claim takes effect after it, even if the first timed out: a
 *   withdrawal that follows an attempt of unknown outcome leaves nothing behind in line.
 * - A claim whose lease has ended is no longer in line, for anyone, and no call but `attempt` brings it back: `attempt`
 *   joins anew, at the back, with a new place.
 * - A call settles in bounded time. A backend that has nobody to ask may answer at once, without a promise.
 * - An attempt or a withdrawal that rejects with a LockError is final: asking again is pointless (the server is out of
 *   memory, the password is wrong). Any other rejection means "not known", and the core asks again; a withdrawal, for a
 *   lease. A backend whose claims do not end by themselves goes on from there itself.
 */
export interface LockBackend {
  /** For messages, events and metrics: `'redis'`. */
  readonly name: string;

  /** What may cost locks on the servers that it has found, a sentence each, for people. None named: none found. */
  readonly warnings?: readonly string[];

  /** Opens a claim. Does no I/O and cannot fail. */
  claim(request: ClaimRequest): Claim;

  /**
   * The key's line now, front first. A report, never a basis for decisions: it is out of date when it arrives.
   */
  inspect(key: string): Promise<readonly Place[]>;

  /** Keys that have a line now, in no order, each at least once unless it came or went meanwhile. A report as well. */
  list(options?: { readonly prefix?: string }): AsyncIterable<string>;

  /**
   * Takes a claim out of the line, held or waiting, whosever it is, and lets in whoever may come in now. false: it was not
   * in line. Idempotent, like all calls; the answer to a repeated one may be false.
   *
   * Its owner learns by its next call, and by a wake where the backend can give one: `attempt` and `renew` reject with a
   * LockLostError of the reason `'forced'`, until it is withdrawn, which answers false, or its lease could have lasted no
   * longer. So nobody who was sent away comes back unnoticed. Where the owner is silent for longer, it is as if the lease
   * had ended.
   */
  evict(key: string, id: string): Promise<boolean>;

  /** Ends what the backend itself opened. Called once, after the last claim was withdrawn or given up. */
  close?(): Promise<void>;
}

export interface ClaimRequest {
  /** What is locked, as the user wrote it: 1 to 1024 bytes of well-formed UTF-8, any characters. */
  readonly key: string;
  /** Unguessable and unique per claim: what every call is idempotent on. Never shown whole. */
  readonly id: string;
  /** How many holders, itself included, the claim can share the key with: 1 exclusive, n semaphore, Infinity shared. */
  readonly slots: number;
  /** How long the claim outlives its owner's silence, waiting as well as held. A session-based backend may use its own. */
  readonly leaseMs: number;
  /**
   * Of an exclusive claim: its owner keeps it when nobody uses it, for as long as nobody else wants it. So the claim is woken
   * as a holder, too, whenever another attempts that stands right behind it.
   */
  readonly yields?: boolean;
  /** Who asks, for people: 1 to 200 bytes of well-formed UTF-8, any characters. Kept with the claim, and never acted on. */
  readonly owner?: string | undefined;
}

export interface Claim {
  /**
   * Joins the line, once, and says where the claim stands. Restarts the lease.
   *
   * With `queue: false` a claim that is not in leaves the line again, within the same step: it was refused and nothing
   * of it is left. That holds for a claim that has waited, too; its last try and its leaving are one call.
   *
   * Asking in line must not write unless something changed, or watchers would wake each other for ever.
   */
  attempt(options: { readonly queue: boolean }): Answer<Standing>;

  /**
   * Keeps a held claim. true: the lease restarted when this was sent. false: lost for good. Rejects: not known.
   * Never brings a claim back that is not in line.
   */
  renew(): Answer<boolean>;

  /**
   * Leaves the line, held or waiting, and lets in whoever may come in now. false: was no longer in line.
   */
  withdraw(): Answer<boolean>;

  /**
   * Calls `wake` when it may pay off to ask again: a waiter then attempts, a holder renews. Called before the first
   * attempt; the function it returns ends it. A wake is latency, never safety: it may come late, twice, for nothing or
   * not at all.
   *
   * A wake that carries a standing that is `held` saves the waiter its question (direct hand-off). It is believed if its
   * place is the one that the latest attempt was answered, so that a wake for an earlier stay in line is not taken for one
   * of this. Its lease counts from that attempt, because that is the last moment the core knows of.
   *
   * A holder whose request `yields` is also woken when somebody else wants the key, with its own standing, whose `waiting` is
   * not 0, or without one. Of an attempt with `queue: false` that is refused, a backend that would have to write need not tell.
   */
  watch?(wake: (standing?: Standing) => void): () => void;
}

export type Standing = Held | Waiting;

export interface Held {
  readonly held: true;
  /**
   * Rises with every admission to the key, over empty lines, restarts and failovers, and stays the same while the claim
   * is in line. Below 2^53: the fencing token is made of it.
   */
  readonly place: bigint;
  /** The lease that the backend really gave. */
  readonly leaseMs: number;
  /** How many claims wait behind. */
  readonly waiting: number;
}

export interface Waiting {
  readonly held: false;
  /** How many claims stand ahead, holders included. */
  readonly ahead: number;
  /** The place that it will hold with, from a backend that gives places on joining. Without it, wakes are only hints. */
  readonly place?: bigint;
  /** Ask again after this long even without a wake. The claim, which only asking keeps in line, lasts longer than that. */
  readonly askAgainMs: number;
}

/** One claim in a key's line, as `inspect` reports it. */
export interface Place {
  readonly id: string;
  readonly slots: number;
  readonly held: boolean;
  /** Known for every holder; a backend that gives places out on admission has none for a waiter. */
  readonly place?: bigint;
  readonly leaseLeftMs: number;
  /** When the claim joined, in milliseconds of the epoch by the clock of the backend. */
  readonly since?: number;
  /** As the claim gave it. None where it gave none. */
  readonly owner?: string;
}
