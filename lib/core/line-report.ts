import { type Place } from './backend.js';
import { shorten } from './context.js';
import { firstToken } from './held-lock.js';
import { type LocalLine } from './local-line.js';
import { type LockOwner, readOwner } from './owner.js';

/** A claim in a key's line, as a person sees it. */
export interface LineEntry {
  /** Its id, shortened: enough to tell claims apart and for `forceRelease`, too little to act for one. */
  readonly claim: string;
  /** Where it stands in the line, holders included: 1 is the front. */
  readonly position: number;
  readonly slots: number;
  /** Of the first caller that holds by it; later ones of its process add up to 1023. undefined: given once it holds. */
  readonly fencingToken: bigint | undefined;
  readonly leaseLeftMs: number;
  /** When it joined, in milliseconds of the epoch by the clock of the backend. */
  readonly since: number | undefined;
  /** undefined: it did not say. */
  readonly owner: LockOwner | undefined;
  /** Callers of this process that wait in memory behind the claim. */
  readonly callersBehind: number;
}

export interface LineReport {
  readonly key: string;
  readonly holders: readonly LineEntry[];
  /** In order. */
  readonly waiters: readonly LineEntry[];
}

/** What a backend and this process know of a line. */
export function report(key: string, places: readonly Place[], line: LocalLine | undefined): LineReport {
  const entries = places.map(({ id, slots, place, leaseLeftMs, since, owner }, ahead): LineEntry => {
    return {
      claim: shorten(id),
      position: ahead + 1,
      slots,
      fencingToken: place === undefined ? undefined : firstToken(place),
      leaseLeftMs,
      since,
      owner: readOwner(owner),
      callersBehind: line?.waitersBehind(id) ?? 0,
    };
  });
  return {
    key,
    holders: entries.filter((_, rank) => places[rank]!.held),
    waiters: entries.filter((_, rank) => !places[rank]!.held),
  };
}
