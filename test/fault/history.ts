import { readFileSync } from 'node:fs';

/** What a process writes down, line by line. Instants are ms of the monotonic clock that all processes of a host share. */
export type Entry =
  /** It believes that it holds the key from `at` on, and until `until` even if it never hears anything again. */
  | {
      readonly type: 'granted';
      readonly hold: string;
      readonly key: string;
      readonly token: string;
      readonly askedAt: number;
      readonly at: number;
      readonly until: number;
    }
  | { readonly type: 'kept'; readonly hold: string; readonly until: number }
  /** From `at` on it believes so no longer. `turnsLate`: how often its event loop came round after `until` without a word of it. */
  | {
      readonly type: 'ended';
      readonly hold: string;
      readonly at: number;
      readonly how: string;
      readonly turnsLate: number;
    }
  /** The resource has confirmed a write. */
  | { readonly type: 'confirmed'; readonly hold: string; readonly value: number }
  /** An acquisition that failed. */
  | { readonly type: 'failed'; readonly at: number; readonly key: string; readonly code: string };

/** One time that somebody held a key. */
export interface Hold {
  readonly id: string;
  readonly process: string;
  readonly key: string;
  readonly token: bigint;
  readonly askedAt: number;
  /** When its owner was surely sure of it. */
  readonly from: number;
  readonly to: number;
  /** `'released'`, the reason of its loss, or nothing: then nobody was left to tell. */
  readonly how: string | undefined;
  readonly turnsLate: number;
  /** What the resource has confirmed to its owner. */
  readonly confirmed: readonly number[];
}

/** What the guarded resource was asked for, in its own order. */
export interface Access {
  readonly at: number;
  readonly key: string;
  readonly hold: string;
  readonly token: bigint;
  readonly kind: 'read' | 'write';
  readonly accepted: boolean;
  /** What was read, or written. */
  readonly value: number;
}

export interface History {
  readonly holds: readonly Hold[];
  readonly accesses: readonly Access[];
  /** How often an acquisition failed, by the code of the error. */
  readonly failures: Readonly<Record<string, number>>;
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The file of each process, by its name. */
export function readHistory(files: ReadonlyMap<string, string>, accesses: readonly Access[]): History {
  const failures: Record<string, number> = {};
  const holds = [...files].flatMap(([process, file]) => {
    const open = new Map<string, Hold>();
    for (const entry of entriesIn(file)) {
      if (entry.type === 'failed') failures[entry.code] = (failures[entry.code] ?? 0) + 1;
      else open.set(entry.hold, after(open.get(entry.hold), entry, process));
    }
    return [...open.values()];
  });
  return { holds, accesses, failures };
}

function after(hold: Hold | undefined, entry: Exclude<Entry, { type: 'failed' }>, process: string): Hold {
  if (entry.type === 'granted') {
    const { hold: id, key, token, askedAt, at, until } = entry;
    const nothing = { how: undefined, turnsLate: 0, confirmed: [] };
    return { id, process, key, token: BigInt(token), askedAt, from: at, to: until, ...nothing };
  }
  if (hold === undefined) throw new Error(`${entry.hold} was never granted`);
  if (entry.type === 'kept') return { ...hold, to: Math.max(hold.to, entry.until) };
  if (entry.type === 'confirmed') return { ...hold, confirmed: [...hold.confirmed, entry.value] };
  return { ...hold, to: Math.min(hold.to, entry.at), how: entry.how, turnsLate: entry.turnsLate };
}

/** A process that is killed may leave half a line. */
function entriesIn(file: string): Entry[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}
