import { type LineEntry, type LineReport } from '../core/line-report.js';
import { type LockOwner } from '../core/owner.js';
import { idOf, type KeyOfService } from './view.js';

/** A claim as the page shows it. What JSON cannot say is said otherwise: tokens as text, no limit as null. */
export interface ClaimView {
  readonly claim: string;
  readonly position: number;
  readonly slots: number | null;
  readonly token: string | undefined;
  readonly since: number | undefined;
  readonly leaseEndsAt: number;
  readonly owner: LockOwner | undefined;
  readonly behind: number;
}

/** A key as a row of the table: who is at the front, and how many others there are. */
export interface RowView extends KeyOfService {
  readonly id: string;
  readonly first: ClaimView | undefined;
  readonly holders: number;
  readonly waiters: number;
}

export interface LineView extends KeyOfService {
  readonly holders: readonly ClaimView[];
  readonly waiters: readonly ClaimView[];
  /** How many more claims there are, too far behind to be shown. */
  readonly unseen: number;
}

const MOST_CLAIMS = 60;

/**
 * Leases in milliseconds of the epoch. Asked twice, a backend says that the same lease ends a little sooner or later: that is no news,
 * and what was said first is said again.
 */
export class LeaseEnds {
  private said = new Map<string, number>();
  private saying = new Map<string, number>();

  endOf(claim: string, leaseLeftMs: number, now: number): number {
    const measured = Math.round(now + leaseLeftMs);
    const before = this.said.get(claim);
    const end = before !== undefined && Math.abs(before - measured) < 250 ? before : measured;
    this.saying.set(claim, end);
    return end;
  }

  /** Claims that were not asked for since the last turn are forgotten. */
  turn(): void {
    this.said = this.saying;
    this.saying = new Map();
  }
}

export function rowOf(service: string, report: LineReport, ends: LeaseEnds, now: number): RowView {
  const { key, holders, waiters } = report;
  const first = holders[0] ?? waiters[0];
  const behind = [...holders, ...waiters].reduce((sum, { callersBehind }) => sum + callersBehind, 0);
  return {
    id: idOf({ service, key }),
    service,
    key,
    first: first && claimOf(first, ends, now),
    holders: holders.length,
    waiters: waiters.length + behind,
  };
}

export function lineOf(service: string, report: LineReport, ends: LeaseEnds, now: number): LineView {
  const holders = report.holders.slice(0, MOST_CLAIMS);
  const waiters = report.waiters.slice(0, MOST_CLAIMS - holders.length);
  return {
    service,
    key: report.key,
    holders: holders.map((entry) => claimOf(entry, ends, now)),
    waiters: waiters.map((entry) => claimOf(entry, ends, now)),
    unseen: report.holders.length + report.waiters.length - holders.length - waiters.length,
  };
}

function claimOf(entry: LineEntry, ends: LeaseEnds, now: number): ClaimView {
  const { claim, position, slots, fencingToken, leaseLeftMs, since, owner, callersBehind } = entry;
  return {
    claim,
    position,
    slots: slots === Infinity ? null : slots,
    token: fencingToken === undefined ? undefined : String(fencingToken),
    since: since === undefined ? undefined : Math.round(since),
    leaseEndsAt: ends.endOf(claim, leaseLeftMs, now),
    owner,
    behind: callersBehind,
  };
}
