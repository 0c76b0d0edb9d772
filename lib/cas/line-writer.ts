import { type Clock } from '../core/clock.js';
import { type Random } from '../core/random.js';
import { asWritten, encodeLine, type Entry, THIS_WRITE } from './cas.line.js';
import { type CasStore, type Version } from './cas.store.js';
import { type Claimant } from './claimant.js';
import { type KnownLine, type KnownLines } from './known-lines.js';
import { type Exchange } from './lease.rule.js';

/** So often in a row somebody else was faster: the call rejects, and the core asks again later. */
const MOST_CONFLICTS = 30;
const LONGEST_BACKOFF_MS = 50;

/** What is to become of a line, and what that means: without `next`, nothing changes. */
export interface Decision<T> {
  readonly next?: readonly Entry[];
  /** Given the version that was written, if anything was. */
  readonly answer: (version: Version) => T;
}

/** Reads and writes lines, and lets whoever was not fast enough decide again. */
export class LineWriter {
  constructor(
    private readonly store: CasStore,
    private readonly lines: KnownLines,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  async read(key: string): Promise<KnownLine> {
    const { answer, exchange } = await this.timed(() => this.store.read(key));
    return this.lines.learn(key, answer, exchange);
  }

  /**
   * Decides, and writes what was decided, until nobody else was faster. A change is decided on what is known, because
   * writing it tells whether that was right. What changes nothing is decided on what was read since this was called.
   */
  async settle<T>(claimant: Claimant, decide: (line: KnownLine) => Decision<T>): Promise<T> {
    const { key } = claimant.request;
    let line = this.lines.recall(key);
    let fresh = false;
    for (let conflicts = 0; conflicts < MOST_CONFLICTS;) {
      const { next, answer } = decide(line);
      if (next !== undefined) {
        const written = await this.write(claimant, line, next);
        if (written.ok) return answer(written.version);
        line = written.current;
        conflicts += 1;
        // Whoever joins gives way. A holder that did might lose its lease to those who come and go.
        if (!claimant.held) await this.backOff(written.tookMs * 2 ** (conflicts - 2));
      } else if (fresh) {
        return answer(0n);
      } else {
        line = await this.read(key);
      }
      fresh = true;
    }
    throw new Error(`${MOST_CONFLICTS} writes in a row met one of somebody else`);
  }

  private async write(
    claimant: Claimant,
    line: KnownLine,
    next: readonly Entry[],
  ): Promise<
    | { readonly ok: true; readonly version: Version }
    | { readonly ok: false; readonly current: KnownLine; readonly tookMs: number }
  > {
    const { key, id } = claimant.request;
    const { version: expected } = line;
    const unanswered = { expected };
    claimant.unanswered.add(unanswered);
    const { answer, exchange } = await this.timed(() => this.store.write(key, encodeLine(next), expected)).catch(
      (error: unknown) => {
        claimant.failedAt = this.clock.now();
        throw error;
      },
    );
    claimant.unanswered.delete(unanswered);
    if (!answer.ok) {
      const tookMs = exchange.receivedAt - exchange.sentAt;
      return { ok: false, current: this.lines.learn(key, answer.current, exchange), tookMs };
    }
    const { version } = answer;
    const written = next.map((entry) => asWritten(entry, version));
    if (written.length === 0) this.lines.learn(key, null, exchange);
    else this.lines.keep(key, version, written, exchange);
    if (next.some((entry) => entry.id === id && entry.beat === THIS_WRITE)) claimant.hasBeaten(exchange);
    return { ok: true, version };
  }

  private async timed<T>(call: () => Promise<T>): Promise<{ readonly answer: T; readonly exchange: Exchange }> {
    const sentAt = this.clock.now();
    const answer = await call();
    return { answer, exchange: { sentAt, receivedAt: this.clock.now() } };
  }

  /** In step with the store: for one that answers within microseconds, no timer is short enough. */
  private async backOff(longestMs: number): Promise<void> {
    const pauseMs = Math.min(LONGEST_BACKOFF_MS, longestMs) * this.random.fraction();
    if (pauseMs >= 0.5) await new Promise<void>((resolve) => void this.clock.alarm(pauseMs, resolve));
  }
}
