import { holders } from '../core/admission.js';
import { type Claim, type ClaimRequest, type LockBackend, type Place, type Standing } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { LockLostError } from '../core/errors.js';

/** A claim in a line. */
interface Standee {
  readonly request: ClaimRequest;
  readonly slots: number;
  readonly place: bigint;
  readonly since: number;
  leaseEndsAt: number;
  /** Whether its owner has been told that it is in. */
  told: boolean;
  wake: ((standing?: Standing) => void) | undefined;
}

/** By claim id, in order of arrival. */
type Line = Map<string, Standee>;

/**
 * Locks within one process: the embedded default, and the reference of the contract. A line is a map of claims in order
 * of arrival; who holds is never stored, only derived by the rule.
 *
 * It locks nothing against other processes. Leases end here, too, although only a stalled or discarded manager lets one
 * end: whoever touches a line first drops the dead from it.
 */
export class MemoryBackend implements LockBackend {
  readonly name = 'memory';
  private readonly lines = new Map<string, Line>();
  private readonly clock: Clock;
  /** By claim id, until when they could have had a lease: those that were taken out of their line. */
  private readonly evicted = new Map<string, number>();
  private lastPlace = 0;

  /** `ports` are for tests and simulations. */
  constructor(ports: { readonly clock?: Clock } = {}) {
    this.clock = ports.clock ?? systemClock;
  }

  claim(request: ClaimRequest): Claim {
    let wake: Standee['wake'];
    return {
      attempt: ({ queue }) => this.attempt(request, queue, wake),
      renew: () => this.renew(request),
      withdraw: () => this.withdraw(request),
      watch: (given) => {
        wake = given;
        return () => {
          wake = undefined;
          const standee = this.lines.get(request.key)?.get(request.id);
          if (standee?.wake === given) standee.wake = undefined;
        };
      },
    };
  }

  async inspect(key: string): Promise<readonly Place[]> {
    const line = this.living(key);
    const held = holders(line.values());
    const now = this.clock.now();
    return [...line.values()].map(({ request: { id, owner }, slots, place, since, leaseEndsAt }, rank) => {
      const leaseLeftMs = leaseEndsAt - now;
      return { id, slots, held: rank < held, place, leaseLeftMs, since, ...(owner !== undefined && { owner }) };
    });
  }

  async *list({ prefix = '' }: { readonly prefix?: string } = {}): AsyncIterable<string> {
    for (const key of [...this.lines.keys()]) {
      if (key.startsWith(prefix) && this.living(key).size > 0) yield key;
    }
  }

  async evict(key: string, id: string): Promise<boolean> {
    const line = this.living(key);
    const standee = line.get(id);
    if (standee === undefined) return false;
    const now = this.clock.now();
    for (const [gone, endsAt] of this.evicted) if (endsAt <= now) this.evicted.delete(gone);
    this.evicted.set(id, standee.leaseEndsAt);
    this.leave(line, standee);
    standee.wake?.();
    return true;
  }

  private attempt(request: ClaimRequest, queue: boolean, wake: Standee['wake']): Standing {
    const line = this.living(request.key);
    if (this.evicted.size > 0) this.refuseEvicted(request);
    const standee = line.get(request.id) ?? this.join(line, request);
    standee.wake = wake;
    standee.leaseEndsAt = this.clock.now() + request.leaseMs;
    if (line.size > 1) this.tellWanted(line, standee);
    const standing = this.standing(line, standee);
    if (standing.held) standee.told = true;
    else if (!queue) this.leave(line, standee);
    return standing;
  }

  private renew(request: ClaimRequest): boolean {
    const standee = this.living(request.key).get(request.id);
    if (standee === undefined) {
      this.refuseEvicted(request);
      return false;
    }
    standee.leaseEndsAt = this.clock.now() + request.leaseMs;
    return true;
  }

  private refuseEvicted({ key, id }: ClaimRequest): void {
    if ((this.evicted.get(id) ?? 0) > this.clock.now()) throw new LockLostError(key, 'forced');
  }

  private withdraw({ key, id }: ClaimRequest): boolean {
    const line = this.living(key);
    const standee = line.get(id);
    if (standee === undefined) return false;
    this.leave(line, standee);
    return true;
  }

  /** Microseconds since the epoch, so that places rise over restarts; the last plus one where the clock does not. */
  private join(line: Line, request: ClaimRequest): Standee {
    const since = this.clock.wall();
    this.lastPlace = Math.max(this.lastPlace + 1, Math.floor(since * 1000));
    const place = BigInt(this.lastPlace);
    const standee: Standee = {
      request,
      slots: request.slots,
      place,
      since,
      leaseEndsAt: 0,
      told: false,
      wake: undefined,
    };
    if (line.size === 0) this.lines.set(request.key, line);
    line.set(request.id, standee);
    return standee;
  }

  private leave(line: Line, { request }: Standee): void {
    line.delete(request.id);
    if (line.size === 0) this.lines.delete(request.key);
    else this.tellAdmitted(line);
  }

  private living(key: string): Line {
    const line = this.lines.get(key);
    if (line === undefined) return new Map();
    const now = this.clock.now();
    for (const standee of line.values()) {
      if (standee.leaseEndsAt <= now) this.leave(line, standee);
    }
    return line;
  }

  /** A holder that is kept for nobody leaves by this: whoever wants the key is in then, even if it does not wait. */
  private tellWanted(line: Line, standee: Standee): void {
    const [front, second] = line.values();
    if (second === standee && front!.request.yields) front!.wake?.(this.standing(line, front!));
  }

  /** Direct hand-off: whoever came in by somebody's leaving is told so, and need not ask. */
  private tellAdmitted(line: Line): void {
    let admitted = holders(line.values());
    for (const standee of line.values()) {
      if ((admitted -= 1) < 0) return;
      if (standee.told) continue;
      standee.told = true;
      standee.wake?.(this.standing(line, standee));
    }
  }

  private standing(line: Line, standee: Standee): Standing {
    const { place, request } = standee;
    if (line.size === 1) return { held: true, place, leaseMs: request.leaseMs, waiting: 0 };
    const ranked = [...line.values()];
    const rank = ranked.indexOf(standee);
    const held = holders(ranked);
    if (rank < held) return { held: true, place, leaseMs: request.leaseMs, waiting: ranked.length - held };
    const now = this.clock.now();
    // Half a lease, since only asking keeps the claim alive; sooner when somebody ahead may die before.
    let askAgainMs = request.leaseMs / 2;
    for (const { leaseEndsAt } of ranked.slice(0, rank)) askAgainMs = Math.min(askAgainMs, leaseEndsAt - now);
    return { held: false, ahead: rank, place, askAgainMs: Math.max(1, askAgainMs) };
  }
}
