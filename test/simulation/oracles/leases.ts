import { type Held } from '../../../lib/core/backend.js';
import { type Entry } from '../history.js';

/** What is known to the owner of a claim about its lease. */
export interface KnownLease {
  readonly leaseMs: number;
  /** When the call that last confirmed it was sent, by the monotonic clock of its owner, and in true time. */
  readonly from: number;
  readonly fromAt: number;
  /** The store has said that the claim is gone. */
  readonly gone: boolean;
}

interface Asked {
  readonly from: number;
  readonly fromAt: number;
  readonly place: bigint | undefined;
}

/** When it ends, by the monotonic clock of its owner. */
export const endOf = ({ from, leaseMs }: KnownLease): number => from + leaseMs;

/** What the owner takes off for drift: 1 % and 2 ms. */
export const margin = ({ leaseMs }: KnownLease): number => leaseMs / 100 + 2;

/**
 * Goes through a history and tells, at any entry, what the lease of a lock was known to be: the latest confirmation whose
 * answer was in by then, counted from when the question was sent.
 */
export class Leases {
  private readonly byStay = new Map<string, KnownLease>();
  private readonly asked = new Map<string, Asked>();
  /** A claim that has left the line, or died in it, may join anew, with another place. */
  private readonly stayOf = new Map<string, string>();
  private readonly wakes = new Map<string, Held>();
  private readonly stayOfLock = new Map<string, string>();

  note(entry: Entry): void {
    if (entry.event === 'answered') {
      const { claim, process, key, standing, kept, call, sentNow: from, sentAt: fromAt, now } = entry;
      const asked = { from, fromAt, place: standing?.place };
      if (standing !== undefined && from > (this.asked.get(claim)?.from ?? -1)) this.asked.set(claim, asked);
      if (standing?.held) this.granted(process, key, claim, standing, asked);
      if (call === 'renew' && kept === true) this.confirmed(this.stayOf.get(claim), asked, now);
      if (call !== 'attempt' && kept === false) this.gone(this.stayOf.get(claim));
    }
    if (entry.event === 'woken' && entry.standing?.held) this.wakes.set(entry.claim, entry.standing);
    // A wake is heeded once the question that was under way is answered: when its lock is given, or first renewed.
    if (entry.event === 'sent' && entry.call === 'renew') this.heedWake(entry.process, entry.key, entry.claim);
    if (entry.event === 'given') {
      const id = stay(entry.process, entry.key, entry.token >> 10n);
      this.stayOfLock.set(`${entry.caller} ${entry.key}`, id);
      for (const claim of this.wakes.keys()) this.heedWake(entry.process, entry.key, claim, id);
    }
  }

  of(caller: string, key: string): KnownLease | undefined {
    return this.byStay.get(this.stayOfLock.get(`${caller} ${key}`) ?? '');
  }

  /** Answers may be late, and then tell nothing new; some are about a stay that the claim's present one has followed. */
  private granted(process: string, key: string, claim: string, { place, leaseMs }: Held, asked: Asked): void {
    const id = stay(process, key, place);
    const present = this.byStay.get(this.stayOf.get(claim) ?? id);
    if (asked.from <= (present?.from ?? -1)) return;
    this.stayOf.set(claim, id);
    this.byStay.set(id, { leaseMs, from: asked.from, fromAt: asked.fromAt, gone: false });
  }

  /** Its lease counts from the last question that was answered. A late wake is about an earlier stay in line. */
  private heedWake(process: string, key: string, claim: string, only?: string): void {
    const standing = this.wakes.get(claim);
    const asked = this.asked.get(claim);
    if (standing === undefined || asked === undefined || asked.place !== standing.place) return;
    if (only !== undefined && stay(process, key, standing.place) !== only) return;
    this.wakes.delete(claim);
    this.granted(process, key, claim, standing, asked);
  }

  /** An answer that comes when the lease has ended confirms nothing. */
  private confirmed(id: string | undefined, asked: Asked, now: number): void {
    const lease = this.byStay.get(id ?? '');
    if (lease !== undefined && now < endOf(lease) - margin(lease) && asked.from > lease.from)
      this.byStay.set(id!, { ...lease, ...asked });
  }

  private gone(id: string | undefined): void {
    const lease = this.byStay.get(id ?? '');
    if (lease !== undefined) this.byStay.set(id!, { ...lease, gone: true });
  }
}

const stay = (process: string, key: string, place: bigint): string => `${process} ${key} ${place}`;
