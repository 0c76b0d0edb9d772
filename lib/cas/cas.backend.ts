import { holders } from '../core/admission.js';
import { type Claim, type ClaimRequest, type LockBackend, type Place, type Standing } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { LockConfigError } from '../core/errors.js';
import { type Random, systemRandom } from '../core/random.js';
import { asWritten, encodeLine, type Entry, THIS_WRITE } from './cas.line.js';
import { type CasStore, type Version } from './cas.store.js';
import { type KnownLine, KnownLines } from './known-lines.js';
import { Turns } from './turns.js';

export interface CasBackendOptions {
  readonly store: CasStore;
  /** By how much the clocks of two processes may differ in speed: 0.01, which is a hundred times more than they do. */
  readonly driftRatio?: number;
}

/** So often in a row somebody else was faster: a call goes on to ask later, by the core. */
const MOST_CONFLICTS = 30;
/** A waiting claim restarts its lease so often, and a store without `watch` is asked so often. */
const BEATS_PER_LEASE = 3;
const POLL_MS = 100;

/** A claim, and what its owner knows of it that is not in the line. */
interface Claimant {
  readonly request: ClaimRequest;
  /** When the write was sent that last restarted its lease; undefined before the first. */
  beatAt: number | undefined;
  /** It was told that it is in. */
  held: boolean;
  /** A write that was sent for a line of this version, with an outcome that is not known. */
  unsettled: { readonly expected: Version | null } | undefined;
}

/** What is to become of a line, and what that means: `next` is undefined where nothing changes. */
interface Decision<T> {
  readonly next?: readonly Entry[];
  readonly answer: (version: Version) => T;
}

/**
 * Locks on any store that can compare and swap. The line of a key is one value; whoever wants to change it writes it anew,
 * against the version that it last saw, and begins again if somebody else was faster. Who holds is derived by the rule.
 *
 * No clock is compared with another. A claim beats by being written; whoever sees the same beat stand still for longer than
 * the claim's lease may drop it, for by then its owner has stopped believing, if no clock is faster or slower than another
 * by more than `driftRatio`.
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
  private readonly lines: KnownLines;
  private readonly turns = new Turns();

  /** `ports` are for tests and simulations. @throws LockConfigError for a driftRatio that is none. */
  constructor(
    { store, driftRatio = 0.01 }: CasBackendOptions,
    ports: { readonly clock?: Clock; readonly random?: Random } = {},
  ) {
    if (typeof store?.write !== 'function') throw new LockConfigError('store must be a CasStore');
    if (!(driftRatio >= 0 && driftRatio <= 0.5)) throw new LockConfigError('driftRatio must be a number from 0 to 0.5');
    this.name = store.name;
    this.store = store;
    this.driftRatio = driftRatio;
    this.clock = ports.clock ?? systemClock;
    this.random = ports.random ?? systemRandom;
    this.lines = new KnownLines(this.clock, driftRatio);
  }

  claim(request: ClaimRequest): Claim {
    const claimant: Claimant = { request, beatAt: undefined, held: false, unsettled: undefined };
    const { key } = request;
    return {
      attempt: ({ queue }) => this.turns.take(key, () => this.attempt(claimant, queue)),
      renew: () => this.turns.take(key, () => this.renew(claimant)),
      withdraw: () => this.turns.take(key, () => this.withdraw(claimant)),
      watch: (wake) => {
        // A holder has nothing to ask: its own beats would wake it for ever.
        return this.store.watch?.(key, () => (claimant.held ? undefined : wake())) ?? (() => undefined);
      },
    };
  }

  async inspect(key: string): Promise<readonly Place[]> {
    const line = this.lines.learn(key, await this.store.read(key));
    const entries = this.living(line);
    const held = holders(entries);
    return entries.map((entry, rank) => {
      const { id, slots, place, since } = entry;
      return { id, slots, held: rank < held, place, leaseLeftMs: this.lines.leaseLeftMs(line, entry), since };
    });
  }

  async *list({ prefix = '' }: { readonly prefix?: string } = {}): AsyncIterable<string> {
    yield* this.store.list?.(prefix) ?? [];
  }

  async close(): Promise<void> {
    await this.store.close?.();
  }

  private async attempt(claimant: Claimant, queue: boolean): Promise<Standing> {
    const sentAt = this.clock.now();
    const standing = await this.settle<Standing>(claimant, (line) => {
      const { id, leaseMs } = claimant.request;
      const living = this.living(line, claimant);
      const others = living.filter((entry) => entry.id !== id);
      // One whose lease has ended joins anew: others may have been let in.
      const present = this.leaseEnded(claimant) ? undefined : living.find((entry) => entry.id === id);
      const next =
        present === undefined ? [...others, this.joining(claimant)] : living.map((entry) => beating(entry, id));
      const rank = next.findIndex((entry) => entry.id === id);
      const held = holders(next);
      const sinceBeat = sentAt - (claimant.beatAt ?? -Infinity);
      const beats = present === undefined || sinceBeat > (leaseMs / BEATS_PER_LEASE) * 0.9;

      if (rank < held) {
        const answer = (version: Version): Standing => {
          const place = present?.place ?? version;
          const waiting = next.length - held;
          // Its lease counts from when this was asked, and not from then on, if it asks again without need.
          const leftMs = Math.min(leaseMs, leaseMs - (sentAt - claimant.beatAt!)) * (1 - this.driftRatio);
          return { held: true, place, leaseMs: leftMs, waiting };
        };
        return beats || !claimant.held ? { next, answer } : { answer };
      }
      if (!queue) {
        const refused = (): Standing => ({ held: false, ahead: rank, askAgainMs: leaseMs });
        return line.entries.some((entry) => entry.id === id) ? { next: others, answer: refused } : { answer: refused };
      }
      const answer = (version: Version): Standing => {
        const place = present?.place ?? version;
        return { held: false, ahead: rank, place, askAgainMs: this.askAgainMs(leaseMs, line, next.slice(0, rank)) };
      };
      return beats ? { next, answer } : { answer };
    });
    claimant.held = standing.held;
    return standing;
  }

  private async renew(claimant: Claimant): Promise<boolean> {
    return this.settle(claimant, (line) => {
      const { id } = claimant.request;
      const living = this.living(line, claimant);
      if (!living.some((entry) => entry.id === id)) return { answer: () => false };
      if (!this.leaseEnded(claimant)) return { next: living.map((entry) => beating(entry, id)), answer: () => true };
      return { next: living.filter((entry) => entry.id !== id), answer: () => false };
    });
  }

  private async withdraw(claimant: Claimant): Promise<boolean> {
    return this.settle(claimant, (line) => {
      const { id } = claimant.request;
      const others = this.living(line, claimant).filter((entry) => entry.id !== id);
      if (line.entries.some((entry) => entry.id === id)) {
        const inLine = !this.leaseEnded(claimant);
        return { next: others, answer: () => inLine };
      }
      const answer = (): boolean => this.assertSettled(claimant);
      // Writes it as it is: what may still arrive was sent for this version, and is refused from now on.
      const overtakes = claimant.unsettled !== undefined && claimant.unsettled.expected === line.version;
      return overtakes && line.version !== null ? { next: line.entries, answer: () => false } : { answer };
    });
  }

  /** Nothing stops a write from putting a claim where nothing is: that has to be looked for again. */
  private assertSettled({ unsettled }: Claimant): false {
    if (unsettled?.expected === null) throw new Error('an earlier write of the claim may still arrive');
    return false;
  }

  /** Decides, and writes what was decided, until nobody else was faster. What changes nothing is decided on a fresh read. */
  private async settle<T>(claimant: Claimant, decide: (line: KnownLine) => Decision<T>): Promise<T> {
    const { key } = claimant.request;
    let line = this.lines.recall(key);
    let fresh = false;
    for (let conflicts = 0; conflicts < MOST_CONFLICTS;) {
      const { next, answer } = decide(line);
      if (next === undefined) {
        if (fresh) return answer(0n);
        line = this.lines.learn(key, await this.store.read(key));
        fresh = true;
        continue;
      }
      const written = await this.write(claimant, line, next);
      if (written !== undefined) return answer(written);
      line = this.lines.recall(key);
      fresh = true;
      conflicts += 1;
      await this.backOff(conflicts);
    }
    throw new Error(`${MOST_CONFLICTS} writes in a row met one of somebody else`);
  }

  /** The version written; undefined in a conflict. */
  private async write(claimant: Claimant, line: KnownLine, next: readonly Entry[]): Promise<Version | undefined> {
    const { key, id } = claimant.request;
    const sentAt = this.clock.now();
    const earlier = claimant.unsettled;
    claimant.unsettled = { expected: line.version };
    const written = await this.store.write(key, encodeLine(next), line.version);
    claimant.unsettled = written.ok ? undefined : earlier;
    if (!written.ok) {
      this.lines.learn(key, written.current);
      return undefined;
    }
    const { version } = written;
    if (next.length === 0) this.lines.forget(key);
    else
      this.lines.keep(
        key,
        version,
        next.map((entry) => asWritten(entry, version)),
      );
    if (next.some((entry) => entry.id === id && entry.beat === THIS_WRITE)) claimant.beatAt = sentAt;
    return version;
  }

  /** Those whose lease has not surely ended. A claimant is alive to itself. */
  private living(line: KnownLine, claimant?: Claimant): readonly Entry[] {
    return line.entries.filter((entry) => {
      return entry.id === claimant?.request.id || this.lines.leaseLeftMs(line, entry) > 0;
    });
  }

  /** By its own clock, on which it lasts as long as it does by any. */
  private leaseEnded({ beatAt, request }: Claimant): boolean {
    return beatAt !== undefined && this.clock.now() - beatAt >= request.leaseMs;
  }

  private joining({ request: { id, slots, leaseMs } }: Claimant): Entry {
    return { id, slots, leaseMs, since: this.clock.wall(), place: THIS_WRITE, beat: THIS_WRITE };
  }

  /** When to beat again; sooner when somebody ahead may have died by then, or nobody tells of changes. */
  private askAgainMs(leaseMs: number, line: KnownLine, ahead: readonly Entry[]): number {
    const beat = leaseMs / BEATS_PER_LEASE;
    const death = Math.min(...ahead.map((entry) => this.lines.leaseLeftMs(line, entry)));
    const poll = this.store.watch === undefined ? POLL_MS * (0.5 + this.random.fraction()) : Infinity;
    return Math.max(1, Math.min(beat, death + 1, poll));
  }

  private backOff(conflicts: number): Promise<void> {
    const longestMs = Math.min(50, 2 ** conflicts);
    return new Promise((resolve) => void this.clock.alarm(longestMs * this.random.fraction(), resolve));
  }
}

function beating(entry: Entry, id: string): Entry {
  return entry.id === id ? { ...entry, beat: THIS_WRITE } : entry;
}
