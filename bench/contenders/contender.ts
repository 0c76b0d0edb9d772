/** Ends a hold. Resolves when it is over. */
export type Release = () => Promise<unknown>;

/** A contender, connected. Every use of a lock is one acquire and one release, in whichever words the package has for it. */
export interface Locker {
  /** Waits for the key, however long. */
  acquire(key: string): Promise<Release>;
  close(): Promise<void>;
}

export type Kind = 'ours' | 'by hand' | 'peer';

/** One way to lock, with one choice of settings. */
export interface Contender {
  readonly name: string;
  readonly kind: Kind;
  /**
   * Commands that it sends itself. The server counts what scripts call as well, under the same names, so none of these may
   * be called by its own scripts.
   */
  readonly sends: readonly string[];
  open(server: string): Promise<Locker>;
}

/** So that nobody's keys are another's. */
export const keyOf = (contender: Contender, key: string): string =>
  `${contender.name.replaceAll(/[^a-z\d]+/gi, '-')}:${key}`;

/** A lease that outlives every measurement, but is renewed by whoever renews. As long as our default. */
export const LEASE_MS = 10_000;
/** Longer than any measurement: giving up is not waiting. */
export const PATIENCE_MS = 120_000;
