import { holders } from '../core/admission.js';
import { type Claim, type ClaimRequest, type LockBackend, type Place, type Standing } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { LockConfigError, LockLostError } from '../core/errors.js';
import { type Random, systemRandom } from '../core/random.js';
import { type Entry, THIS_WRITE } from './cas.line.js';
import { type CasStore, type Version } from './cas.store.js';
import { Claimant } from './claimant.js';
import { type KnownLine, KnownLines } from './known-lines.js';
import { type LeaseRule, leaseRule } from './lease.rule.js';
import { type Decision, LineWriter } from './line-writer.js';
import { Turns } from './turns.js';

export interface CasBackendOptions {
  readonly store: CasStore;
  /** By how much the clocks of two processes may differ in speed: 0.01, which is a hundred times more than they do. */
  readonly driftRatio?: number;
}

/** A waiting claim restarts its lease so often. */
const BEATS_PER_LEASE = 3;
/** Asked a little sooner than it has to beat, it beats. */
const BEAT_IS_DUE = 0.9;
/** How long a write may take to happen that the store could not answer. One that is later is as a claim whose owner died. */
const LATEST_WRITE_MS = 250;
/** How often a store without `watch` is asked, on average. */
const POLL_MS = 100;

/**
 * Locks on any store that can compare and swap. The line of a key is one value; whoever wants to change it writes it anew,
 * against the version that it last saw, and decides again if somebody else was faster. Who holds is derived by the rule.
 *
 * No clock is compared with another. A claim beats by being written; whoever sees the same beat stand still for longer than
 * the claim's lease may drop it, for by then its owner has stopped believing, if no clock is faster or slower than it
 * should be by more than `driftRatio`.
 *
 * What it cannot promise: a claim whose owner died is dropped a whole lease after others first looked at it, not after its
 * last beat. And on a store that confirms writes and forgets them, two may hold; fencing tokens fall then, too.
 */
export class CasBackend implements LockBackend {
  readonly name: string;
  private readonly store: CasStore;
  private readonly driftRatio: number;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly rule: LeaseRule;
  private readonly lines = new KnownLines();
  private readonly writer: LineWriter;
  private readonly turns = new Turns();

  /** `ports` are for tests and simulations. @throws LockConfigError for a driftRatio that is none. */
  constructor(
    { store, driftRatio = 0.01 }: CasBackendOptions,
    ports: { readonly clock?: Clock; readonly random?: Random; readonly rule?: LeaseRule } = {},
  ) {
    if (typeof store?.write !== 'function') throw new LockConfigError('store must be a CasStore');
    if (!(driftRatio >= 0 && driftRatio <= 0.5)) throw new LockConfigError('driftRatio must be a number from 0 to 0.5');
    this.name = store.name;
    this.store = store;
    this.driftRatio = driftRatio;
    this.clock = ports.clock ?? systemClock;
    this.random = ports.random ?? systemRandom;
    this.rule = ports.rule ?? leaseRule;
    this.writer = new LineWriter(store, this.lines, this.clock, this.random);
  }

  claim(request: ClaimRequest): Claim {
    const claimant = new Claimant(request);
    const { key } = request;
    let withdrawal: Promise<boolean> | undefined;
    return {
      attempt: ({ queue }) => this.turns.take(key, () => (claimant.asking = this.attempt(claimant, queue))),
      renew: () => this.renew(claimant),
      // Of two at once, one would find that it has left, and take that for a loss.
      withdraw: () => (withdrawal ??= this.withdraw(claimant).finally(() => (withdrawal = undefined))),
      watch: (wake) => {
        const release = this.lines.retain(key);
        claimant.wake = wake;
        // A holder has nothing to ask: its own beats would wake it for ever.
        const unwatch = this.store.watch?.(key, () => (claimant.held ? void this.lookBehind(claimant) : wake()));
        return () => {
          release();
          unwatch?.();
          claimant.wake = undefined;
        };
      },
    };
  }

  async inspect(key: string): Promise<readonly Place[]> {
    const line = await this.writer.read(key);
    const entries = this.living(line);
    const held = holders(entries);
    return entries.map((entry, rank) => {
      const { id, slots, place, since, owner } = entry;
      const leaseLeftMs = this.leaseLeftMs(line, entry);
      return { id, slots, held: rank < held, place, leaseLeftMs, since, ...(owner !== undefined && { owner }) };
    });
  }

  async *list({ prefix = '' }: { readonly prefix?: string } = {}): AsyncIterable<string> {
    yield* this.store.list?.(prefix) ?? [];
  }

  async evict(key: string, id: string): Promise<boolean> {
    const evictor = new Claimant({ key, id, slots: 1, leaseMs: 1 });
    return this.writer.settle(evictor, (line) => {
      const entry = this.living(line).find((each) => each.id === id);
      if (entry === undefined) return { answer: () => false };
      const left = without(this.living(line), id);
      return { next: [...left, ...this.evicted(line), { ...entry, evicted: true }], answer: () => true };
    });
  }

  async close(): Promise<void> {
    await this.store.close?.();
  }

  private async attempt(claimant: Claimant, queue: boolean): Promise<Standing> {
    const { id, leaseMs } = claimant.request;
    const askedAt = this.clock.now();
    const standing = await this.writer.settle<Standing>(claimant, (line) => {
      if (claimant.withdrawn) throw new Error('it was withdrawn meanwhile');
      refuseEvicted(line, claimant);
      const living = this.living(line, claimant);
      // One whose lease has ended joins anew: others may have been let in.
      const present = claimant.leaseEnded(this.clock.now()) ? undefined : living.find((entry) => entry.id === id);
      const after = present === undefined ? [...without(living, id), this.joining(claimant)] : living;
      const rank = after.findIndex((entry) => entry.id === id);
      const held = holders(after);
      if (rank >= held && !queue) {
        return this.leaving(claimant, line, () => ({ held: false, ahead: rank, askAgainMs: leaseMs }));
      }

      const answer = (version: Version): Standing => {
        const place = present?.place ?? version;
        return rank < held
          ? { held: true, place, leaseMs: this.leaseOf(claimant), waiting: after.length - held }
          : { held: false, place, ahead: rank, askAgainMs: this.askAgainMs(claimant, line, after.slice(0, rank)) };
      };
      // Whoever is told that it is in has a beat of this very call: it may have slept through the end of an older one.
      const beats = present === undefined || rank < held || this.beatIsDue(claimant, askedAt);
      // Whoever counts on it that a claim is dead writes that down: should it live, this is where one of them learns it.
      const evicted = this.evicted(line);
      const buries = living.length + evicted.length < line.entries.length;
      return beats || buries ? { next: [...(beats ? beating(after, id) : after), ...evicted], answer } : { answer };
    });
    claimant.held = standing.held;
    claimant.wanted = false;
    return standing;
  }

  private async renew(claimant: Claimant): Promise<boolean> {
    const { id } = claimant.request;
    return this.writer.settle(claimant, (line) => {
      refuseEvicted(line, claimant);
      const living = this.living(line, claimant);
      if (!living.some((entry) => entry.id === id)) return { answer: () => false };
      const evicted = this.evicted(line);
      if (claimant.leaseEnded(this.clock.now())) {
        return { next: [...without(living, id), ...evicted], answer: () => false };
      }
      const answer = (): boolean => {
        this.tellWanted(claimant, living);
        return true;
      };
      return { next: [...beating(living, id), ...evicted], answer };
    });
  }

  /** The store has told of a change; to a holder that yields, one matters. */
  private async lookBehind(claimant: Claimant): Promise<void> {
    if (claimant.request.yields !== true || claimant.wanted) return;
    try {
      const line = await this.writer.read(claimant.request.key);
      this.tellWanted(claimant, this.living(line, claimant));
    } catch {
      // It looks again when it renews.
    }
  }

  private tellWanted(claimant: Claimant, living: readonly Entry[]): void {
    const { id, leaseMs, yields } = claimant.request;
    const [front, ...behind] = living;
    if (yields !== true || !claimant.held || front?.id !== id || behind.length === 0) return;
    claimant.wanted = true;
    claimant.wake?.({ held: true, place: front.place, leaseMs, waiting: behind.length });
  }

  private async withdraw(claimant: Claimant): Promise<boolean> {
    claimant.withdrawn = true;
    // It ends with the answer that it waits for.
    await claimant.asking?.catch(() => undefined);
    return this.writer.settle(claimant, (line) => this.leaving(claimant, line, (wasInLine) => wasInLine));
  }

  /** Out of line, and no earlier write of the claim can put it there again. */
  private leaving<T>(claimant: Claimant, line: KnownLine, answer: (wasInLine: boolean) => T): Decision<T> {
    const { id } = claimant.request;
    const own = line.entries.find((entry) => entry.id === id);
    if (own !== undefined) {
      const wasInLine = !own.evicted && !claimant.leaseEnded(this.clock.now());
      const others = without([...this.living(line, claimant), ...this.evicted(line)], id);
      return { next: others, answer: () => answer(wasInLine) };
    }
    if (!claimant.mayStillWrite(line.version)) return { answer: () => answer(false) };
    // Written as it is, the line has another version, and what may still arrive meets a conflict.
    if (line.version !== null) return { next: line.entries, answer: () => answer(false) };
    // But nothing can be written in the place of nothing. The core looks again until it could have come.
    const leftMs = (claimant.failedAt ?? Infinity) + LATEST_WRITE_MS - this.clock.now();
    return {
      answer: () => {
        if (leftMs > 0) throw new Error('an earlier write of the claim may still arrive');
        return answer(false);
      },
    };
  }

  /** Those whose lease has not surely ended. A claimant is alive to itself. */
  private living(line: KnownLine, claimant?: Claimant): readonly Entry[] {
    return line.entries.filter((entry) => {
      return !entry.evicted && (entry.id === claimant?.request.id || this.leaseLeftMs(line, entry) > 0);
    });
  }

  /** Those that are out of line, and whose owners may not know it yet. */
  private evicted(line: KnownLine): readonly Entry[] {
    return line.entries.filter((entry) => entry.evicted && this.leaseLeftMs(line, entry) > 0);
  }

  /** How much is left until the claim's lease has surely ended, if its beat goes on to stand still. */
  private leaseLeftMs({ sightings }: KnownLine, { id, leaseMs }: Entry): number {
    return this.rule.othersEnd(sightings.get(id)!.seen, leaseMs, this.driftRatio) - this.clock.now();
  }

  /** The core counts it from when it asked, before the beat was sent. */
  private leaseOf({ beat, request }: Claimant): number {
    return this.rule.ownersEnd(beat!, request.leaseMs, this.driftRatio) - beat!.sentAt;
  }

  private beatIsDue({ beat, request }: Claimant, now: number): boolean {
    return beat === undefined || now - beat.sentAt > (request.leaseMs / BEATS_PER_LEASE) * BEAT_IS_DUE;
  }

  private joining({ request: { id, slots, leaseMs, owner } }: Claimant): Entry {
    const since = this.clock.wall();
    return { id, slots, leaseMs, since, owner, evicted: false, place: THIS_WRITE, beat: THIS_WRITE };
  }

  /** When to beat; sooner when somebody ahead may have died by then, or nobody tells of changes. */
  private askAgainMs({ beat, request }: Claimant, line: KnownLine, ahead: readonly Entry[]): number {
    const beatMs = beat!.sentAt + request.leaseMs / BEATS_PER_LEASE - this.clock.now();
    const deathMs = Math.min(...ahead.map((entry) => this.leaseLeftMs(line, entry))) + 1;
    const pollMs = this.store.watch === undefined ? POLL_MS * (0.5 + this.random.fraction()) : Infinity;
    return Math.max(1, Math.min(beatMs, deathMs, pollMs));
  }
}

function refuseEvicted({ entries }: KnownLine, { request: { key, id } }: Claimant): void {
  if (entries.some((entry) => entry.id === id && entry.evicted)) throw new LockLostError(key, 'forced');
}

function without(entries: readonly Entry[], id: string): readonly Entry[] {
  return entries.filter((entry) => entry.id !== id);
}

function beating(entries: readonly Entry[], id: string): readonly Entry[] {
  return entries.map((entry) => (entry.id === id ? { ...entry, beat: THIS_WRITE } : entry));
}
