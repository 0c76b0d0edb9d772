import { type LockManager } from '../core/lock-manager.js';

/** More are not listed: a longer prefix narrows them down. */
export const MOST_KEYS = 20_000;

/**
 * The keys of one lock service that begin with a prefix, sorted; listed again and again, but for no more than a twentieth of
 * the time, because a backend reads all that it has for it.
 */
export class KeyList {
  keys: readonly string[] = [];
  /** Whether there are more than were listed. */
  isCut = false;
  /** Why the keys are not known. */
  problem: string | undefined;
  private listing: Promise<void> | undefined;
  private dueAt = 0;

  constructor(
    readonly service: string,
    readonly locks: LockManager,
    private readonly prefix: string,
  ) {}

  /** Lists anew if it is time to. Never rejects. */
  refresh(): Promise<void> {
    if (this.listing === undefined && performance.now() >= this.dueAt) {
      this.listing = this.list().finally(() => (this.listing = undefined));
    }
    return this.listing ?? Promise.resolve();
  }

  private async list(): Promise<void> {
    const startedAt = performance.now();
    const found = new Set<string>();
    this.isCut = false;
    try {
      for await (const key of this.locks.list({ prefix: this.prefix })) {
        if (found.size === MOST_KEYS && !found.has(key)) {
          this.isCut = true;
          break;
        }
        found.add(key);
      }
      this.keys = [...found].toSorted();
      this.problem = undefined;
    } catch (error) {
      this.keys = [];
      this.problem = (error as Error).message;
    }
    const now = performance.now();
    this.dueAt = now + Math.max(1_000, 20 * (now - startedAt));
  }
}
