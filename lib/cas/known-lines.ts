import { decodeLine, type Entry } from './cas.line.js';
import { type Version, type Versioned } from './cas.store.js';
import { type Exchange } from './lease.rule.js';

/** How many lines are kept in mind that nobody of this process waits in. A forgotten one costs a read, and time if its holder is dead. */
const MOST_LINES = 10_000;

/** A line as it was last seen. */
export interface KnownLine {
  /** null: nothing is kept under the key. */
  readonly version: Version | null;
  readonly entries: readonly Entry[];
  /** By claim id: the exchange that first showed the beat which it has now. */
  readonly sightings: ReadonlyMap<string, Sighting>;
}

interface Sighting {
  readonly beat: Version;
  readonly seen: Exchange;
}

const NOTHING: KnownLine = { version: null, entries: [], sightings: new Map() };

/**
 * What this process knows of the lines in the store. For being written against, where a conflict tells what is new; and
 * for telling, by a beat that stands still, whose lease has ended.
 */
export class KnownLines {
  private readonly lines = new Map<string, KnownLine>();
  private readonly retained = new Map<string, number>();

  /** As it was last seen; where it never was, a guess: nobody is there. */
  recall(key: string): KnownLine {
    return this.lines.get(key) ?? NOTHING;
  }

  /** The line as an answer of the store has just shown it. */
  learn(key: string, current: Versioned | null, seen: Exchange): KnownLine {
    if (current !== null) return this.keep(key, current.version, decodeLine(key, current), seen);
    this.lines.delete(key);
    return NOTHING;
  }

  /** The line as it has just been written. */
  keep(key: string, version: Version, entries: readonly Entry[], seen: Exchange): KnownLine {
    const { sightings: before } = this.recall(key);
    const sightings = new Map(
      entries.map(({ id, beat }) => {
        const sighting = before.get(id);
        return [id, sighting?.beat === beat ? sighting : { beat, seen }];
      }),
    );
    const line = { version, entries, sightings };
    this.lines.delete(key);
    this.lines.set(key, line);
    this.forgetOldest();
    return line;
  }

  /**
   * Not to be forgotten until the function that this returns is called: whoever forgets when it first saw a beat begins
   * again to wait for the lease to end, and might do so for ever.
   */
  retain(key: string): () => void {
    this.retained.set(key, (this.retained.get(key) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = this.retained.get(key)! - 1;
      if (left === 0) this.retained.delete(key);
      else this.retained.set(key, left);
    };
  }

  private forgetOldest(): void {
    while (this.lines.size > MOST_LINES + this.retained.size) {
      const [key, line] = this.lines.entries().next().value!;
      this.lines.delete(key);
      if (this.retained.has(key)) this.lines.set(key, line);
    }
  }
}
