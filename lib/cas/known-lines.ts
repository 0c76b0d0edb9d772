import { type Clock } from '../core/clock.js';
import { decodeLine, type Entry } from './cas.line.js';
import { type Version, type Versioned } from './cas.store.js';

/** How many keys are kept in mind. A forgotten one costs a read, and a dead holder of it some more time. */
const MOST_KEYS = 10_000;

/** A line as it was last seen. */
export interface KnownLine {
  /** null: nothing is kept under the key. */
  readonly version: Version | null;
  readonly entries: readonly Entry[];
  /** By claim id: since when its beat is known, on the local clock. */
  readonly sightings: ReadonlyMap<string, Sighting>;
}

interface Sighting {
  readonly entry: Entry;
  readonly receivedAt: number;
}

const NOTHING: KnownLine = { version: null, entries: [], sightings: new Map() };

/**
 * What this process knows of the lines in the store. For being written against, where a conflict tells what is new; and
 * for telling, by a beat that stands still, whose lease has ended.
 *
 * A beat counts from when it was **received**, and a lease on a side that may be slower than the other's is the longer one:
 * the owner counts from before it sent the beat, and less. See docs/backends/cas.md for the proof. Counting from when the
 * read was sent would be earlier than the beat (client-go and others count on the safe side here, and not for the owner).
 */
export class KnownLines {
  private readonly lines = new Map<string, KnownLine>();

  constructor(
    private readonly clock: Clock,
    private readonly driftRatio: number,
  ) {}

  /** As it was last seen; where it never was, a guess: nobody is there. */
  recall(key: string): KnownLine {
    return this.lines.get(key) ?? NOTHING;
  }

  /** The line as it has just been received. */
  learn(key: string, current: Versioned | null): KnownLine {
    if (current === null) {
      this.lines.delete(key);
      return NOTHING;
    }
    return this.keep(key, current.version, decodeLine(key, current));
  }

  keep(key: string, version: Version, entries: readonly Entry[]): KnownLine {
    const { sightings: before } = this.recall(key);
    const sightings = new Map(entries.map((entry) => [entry.id, this.sighting(entry, before.get(entry.id))]));
    const line = { version, entries, sightings };
    this.lines.delete(key);
    this.lines.set(key, line);
    if (this.lines.size > MOST_KEYS) this.forget(this.lines.keys().next().value!);
    return line;
  }

  forget(key: string): void {
    this.lines.delete(key);
  }

  /** How much is left until the claim's lease has surely ended, if its beat goes on to stand still. */
  leaseLeftMs(line: KnownLine, { id, leaseMs }: Entry): number {
    const { receivedAt } = line.sightings.get(id)!;
    return receivedAt + leaseMs * (1 + this.driftRatio) - this.clock.now();
  }

  private sighting(entry: Entry, before: Sighting | undefined): Sighting {
    return before?.entry.beat === entry.beat ? before : { entry, receivedAt: this.clock.now() };
  }
}
