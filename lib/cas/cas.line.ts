import { LockBackendError } from '../core/errors.js';
import { type Version, type Versioned } from './cas.store.js';

/** A claim in a line. */
export interface Entry {
  readonly id: string;
  readonly slots: number;
  readonly leaseMs: number;
  /** When it joined, in milliseconds of the epoch by the clock of its owner: for people. */
  readonly since: number;
  /** The version of the line that it joined with: its place. */
  readonly place: Version;
  /** The version of the line that its owner last restarted its lease with. No two beats of a line are the same. */
  readonly beat: Version;
  /** What it says of itself, for people. */
  readonly owner: string | undefined;
  /**
   * It was taken out of line by somebody else. Nobody counts it any more; but it is kept until its owner has seen it, or its
   * lease has ended, so that the owner does not take itself for one who has never joined.
   */
  readonly evicted: boolean;
}

/**
 * In an entry that is about to be written: the version which that write will have. No shorter than any, so that a line
 * that fits into a store does not grow out of it when others write it anew.
 */
export const THIS_WRITE: Version = BigInt(Number.MAX_SAFE_INTEGER);

/** `mark`: the owner, if it said who it is; or 1 of one that was evicted, of whom that is of no use any more. */
type Row = [id: string, slots: number, leaseMs: number, since: number, place: number, beat: number, mark?: Mark];
type Mark = string | 1;

/** A line as it is kept. Nobody is no line. */
export function encodeLine(entries: readonly Entry[]): Uint8Array | null {
  if (entries.length === 0) return null;
  const rows = entries.map(({ id, slots, leaseMs, since, place, beat, owner, evicted }): Row => {
    const mark = evicted ? 1 : owner;
    const marks: [Mark?] = mark === undefined ? [] : [mark];
    return [id, slots === Infinity ? 0 : slots, leaseMs, since, Number(place), Number(beat), ...marks];
  });
  return Buffer.from(JSON.stringify(rows));
}

/** An entry after the write that it was in. */
export function asWritten(entry: Entry, version: Version): Entry {
  const { place, beat } = entry;
  if (place !== THIS_WRITE && beat !== THIS_WRITE) return entry;
  return { ...entry, place: place === THIS_WRITE ? version : place, beat: beat === THIS_WRITE ? version : beat };
}

/** @throws LockBackendError for what is no line. */
export function decodeLine(key: string, { version, value }: Versioned): readonly Entry[] {
  try {
    const rows = JSON.parse(Buffer.from(value).toString()) as Row[];
    return rows.map(([id, slots, leaseMs, since, place, beat, mark]) => {
      const owner = typeof mark === 'string' ? mark : undefined;
      const entry = { id, leaseMs, since, owner, evicted: mark === 1, place: BigInt(place), beat: BigInt(beat) };
      return asWritten({ ...entry, slots: slots || Infinity }, version);
    });
  } catch (error) {
    throw new LockBackendError(
      key,
      'what the store keeps under it is no line of claims: is it used for something else?',
      error,
    );
  }
}
