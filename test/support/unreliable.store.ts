import { type CasStore, type Version, type Versioned, type Written } from '../../lib/cas/index.js';
import { type Clock } from '../../lib/core/clock.js';
import { seededChance } from '../../lib/conformance/index.js';

const LONGEST_DELAY_MS = 20;

/** A store that is slow, forgets to answer, refuses what it could have written, and tells of few changes: by chance. */
export class UnreliableStore implements CasStore {
  readonly name = 'unreliable';
  private readonly chance: () => number;

  constructor(
    private readonly behind: CasStore,
    private readonly clock: Clock,
    seed: number,
  ) {
    this.chance = seededChance(seed);
  }

  read(key: string): Promise<Versioned | null> {
    return this.send(() => this.behind.read(key));
  }

  write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    return this.send(async () => {
      if (this.chance() < 0.1) return { ok: false, current: await this.behind.read(key) };
      return this.behind.write(key, next, expected);
    });
  }

  watch(key: string, changed: () => void): () => void {
    return this.behind.watch!(key, () => void (this.chance() < 0.5 && changed()));
  }

  list(prefix: string): AsyncIterable<string> {
    return this.behind.list!(prefix);
  }

  private async send<T>(call: () => Promise<T>): Promise<T> {
    const fate = this.chance();
    if (this.chance() < 0.3) await this.pause();
    if (fate < 0.03) throw new Error('not sent, but who knows');
    const answer = await call();
    if (this.chance() < 0.3) await this.pause();
    if (fate < 0.08) throw new Error('no answer');
    return answer;
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => void this.clock.alarm(this.chance() * LONGEST_DELAY_MS, resolve));
  }
}
