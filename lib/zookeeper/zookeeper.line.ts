import { holders } from '../core/admission.js';
import { type Stat } from './zookeeper.driver.js';
import { type ClaimName, readClaimName } from './zookeeper.keys.js';

/** The claims on a key, front first, as the names of their nodes tell them. */
export type Line = readonly ClaimName[];

/** In the order in which the nodes were made. The sequence is 32 bits wide and wraps around: its difference does not. */
export function readLine(names: readonly string[]): Line {
  return names
    .map(readClaimName)
    .filter((claim) => claim !== undefined)
    .toSorted((a, b) => (a.sequence - b.sequence) | 0);
}

export function without(line: Line, name: string): Line {
  return line.filter((claim) => claim.name !== name);
}

export interface Rank {
  readonly rank: number;
  readonly held: boolean;
  readonly waiting: number;
}

/** Undefined: not in line. */
export function rankOf(line: Line, name: string): Rank | undefined {
  const rank = line.findIndex((claim) => claim.name === name);
  if (rank === -1) return undefined;
  const held = holders(line);
  return { rank, held: rank < held, waiting: line.length - held };
}

/**
 * The fewest claims whose departures a waiter must hear of to miss no moment at which it may have come in.
 *
 * A claim waits because there are some, itself or ahead of it, that share with fewer than are ahead of it. One of these
 * keeps it out until it leaves, or until fewer than its slots are left ahead. So whoever watches it, and as many as it has
 * slots in all, hears of either. The one with the fewest slots makes the fewest watches: an exclusive claim, or a reader
 * behind one, watches one node. Of several such, the nearest leaves last, and wakes for nothing least often.
 */
export function toWatch(line: Line, rank: number): readonly string[] {
  let keeper = rank;
  for (let each = rank - 1; each >= 0; each -= 1) {
    if (line[each]!.slots < line[keeper]!.slots) keeper = each;
  }
  const watched = keeper === rank ? [] : [line[keeper]!.name];
  for (let each = rank - 1; each >= 0 && watched.length < line[keeper]!.slots; each -= 1) {
    if (each !== keeper) watched.push(line[each]!.name);
  }
  return watched;
}

/** A line read in one flight with the making of a claim in it: just before, when it was there, and just after. */
export interface JoinedLine {
  readonly before: Stat | undefined;
  readonly names: readonly string[];
  readonly after: Stat;
  readonly sequence: number;
}

/**
 * When the claim was made, as ZooKeeper's transaction id, if nothing else happened to the line between the two readings:
 * then the last change of the line is the making of the claim. The server tells who is made the path alone.
 *
 * A line's `cversion` is twice the nodes ever made in it, less those that are there; the sequence of a node is how many
 * were made before it. So if none was made besides, and there is one more than before, none has gone either.
 */
export function makingOf({ before, names, after, sequence }: JoinedLine): bigint | undefined {
  const made =
    before === undefined
      ? { twice: 0, there: 0 }
      : { twice: before.cversion + before.numChildren, there: before.numChildren };
  const alone =
    ((made.twice - 2 * sequence) | 0) === 0 &&
    ((after.cversion + after.numChildren - 2 * (sequence + 1)) | 0) === 0 &&
    after.numChildren === made.there + 1 &&
    names.length === after.numChildren;
  return alone ? BigInt(after.pzxid) : undefined;
}
