import { type LockError, LockUnavailableError } from '../core/errors.js';
import { type LockEvent } from '../core/events.js';
import { idOf, type KeyOfService } from './view.js';

/** One caller's wait and hold. Instants are milliseconds of the epoch, by the clock of this process. */
export interface Span {
  readonly id: number;
  /** When it last changed, counted over all spans. */
  change: number;
  readonly site: string | undefined;
  readonly token: string | undefined;
  readonly waitedFrom: number;
  /** undefined: it never held. */
  readonly heldFrom: number | undefined;
  /** undefined: it holds. */
  until: number | undefined;
  end: SpanEnd | undefined;
  /** Of a loss, or the code of the error that ended the wait. */
  reason: string | undefined;
}

export type SpanEnd = 'released' | 'lost' | 'timed-out' | 'aborted';

/** What happened to a key within WINDOW_MS. */
export interface Heat extends KeyOfService {
  acquired: number;
  failed: number;
  waitedMs: number;
  heldMs: number;
}

/** A lock that somebody lost, or that somebody took away. */
export interface Loss extends KeyOfService {
  readonly at: number;
  readonly what: 'lost' | 'forced';
  readonly reason: string | undefined;
  readonly site: string | undefined;
  readonly claim: string;
}

interface KeyHistory extends KeyOfService {
  readonly spans: Span[];
  readonly minutes: (Heat & { readonly minute: number })[];
  touchedAt: number;
}

export const WINDOW_MS = 5 * 60_000;
const MINUTE_MS = 60_000;
const MOST_SPANS_OF_KEY = 200;
/** Of all keys: some ten megabytes. */
const MOST_SPANS = 50_000;
const MOST_LOSSES = 50;

/**
 * What this process was part of in the last minutes, made of its events. Bounded however many there are: the keys that nothing
 * has happened to for longest go first.
 */
export class LockHistory {
  /** The newest first. */
  readonly losses: Loss[] = [];
  /** By id; touched longest ago first. */
  private readonly keys = new Map<string, KeyHistory>();
  private spans = 0;
  private changes = 0;

  record(event: LockEvent, now: number): void {
    switch (event.type) {
      case 'acquired':
      case 'handed-over':
        return this.begin(event, now);
      case 'released':
      case 'lost':
        return this.end(event, now);
      case 'timed-out':
      case 'aborted':
        return this.giveUp(event, now);
      case 'forced':
        return this.addLoss(event, event.owner?.site, undefined, now);
    }
  }

  /** Those of a key that have changed since, the oldest first. */
  changedSpans(key: KeyOfService, since: number): readonly Span[] {
    return this.keys.get(idOf(key))?.spans.filter(({ change }) => change > since) ?? [];
  }

  /** The keys that were waited for longest in sum; then those that were taken most often. */
  hottest(now: number, count: number): readonly Heat[] {
    const oldest = minuteOf(now - WINDOW_MS);
    const heats: Heat[] = [];
    for (const { service, key, minutes } of this.keys.values()) {
      const heat: Heat = { service, key, acquired: 0, failed: 0, waitedMs: 0, heldMs: 0 };
      for (const part of minutes) if (part.minute >= oldest) addHeat(heat, part);
      if (heat.acquired + heat.failed > 0) heats.push(heat);
    }
    return heats.toSorted((a, b) => b.waitedMs - a.waitedMs || b.acquired - a.acquired).slice(0, count);
  }

  private begin(event: LockEvent & { readonly type: 'acquired' | 'handed-over' }, now: number): void {
    const { waitedMs, fencingToken, site } = event;
    const history = this.touch(event, now);
    this.add(history, { site, token: String(fencingToken), waitedFrom: now - waitedMs, heldFrom: now });
    addHeat(heatOf(history, now), { acquired: 1, failed: 0, waitedMs, heldMs: 0 });
  }

  private end(event: LockEvent & { readonly type: 'released' | 'lost' }, now: number): void {
    const { heldMs, fencingToken, site, type } = event;
    const history = this.touch(event, now);
    const token = String(fencingToken);
    const heldFrom = now - heldMs;
    const span =
      history.spans.findLast((span) => span.token === token) ??
      this.add(history, { site, token, waitedFrom: heldFrom, heldFrom });
    if (type === 'lost') this.addLoss(event, site, event.reason, now);
    // Told of a loss, the rest is tidying up. A release that is found out to have come too late is a loss.
    if (span.end === 'lost') return;
    if (span.end === undefined) addHeat(heatOf(history, now), { acquired: 0, failed: 0, waitedMs: 0, heldMs });
    span.until ??= now;
    span.end = type;
    span.reason = type === 'lost' ? event.reason : undefined;
    span.change = this.changes += 1;
  }

  private giveUp(event: LockEvent & { readonly type: 'timed-out' | 'aborted' }, now: number): void {
    const { waitedMs, site, type } = event;
    const history = this.touch(event, now);
    const span = this.add(history, { site, token: undefined, waitedFrom: now - waitedMs, heldFrom: undefined });
    span.until = now;
    span.end = type;
    span.reason = type === 'timed-out' ? reasonOf(event.error) : undefined;
    addHeat(heatOf(history, now), { acquired: 0, failed: 1, waitedMs, heldMs: 0 });
  }

  private add(history: KeyHistory, begun: Pick<Span, 'site' | 'token' | 'waitedFrom' | 'heldFrom'>): Span {
    const change = (this.changes += 1);
    const span: Span = { ...begun, id: change, change, until: undefined, end: undefined, reason: undefined };
    history.spans.push(span);
    this.spans += 1;
    if (history.spans.length > MOST_SPANS_OF_KEY) this.drop(history, 1);
    while (this.spans > MOST_SPANS) this.forget(this.keys.values().next().value!);
    return span;
  }

  private addLoss(
    { type: what, service, key, claim }: LockEvent & { readonly type: 'lost' | 'forced' },
    site: string | undefined,
    reason: string | undefined,
    at: number,
  ): void {
    this.losses.unshift({ what, service, key, claim, site, reason, at });
    if (this.losses.length > MOST_LOSSES) this.losses.pop();
  }

  private touch({ service, key }: LockEvent, now: number): KeyHistory {
    const id = idOf({ service, key });
    const history = this.keys.get(id) ?? { service, key, spans: [], minutes: [], touchedAt: now };
    history.touchedAt = now;
    this.keys.delete(id);
    this.keys.set(id, history);
    this.forgetOld(now);
    return history;
  }

  /** At most a few at a time: every event does its share. */
  private forgetOld(now: number): void {
    for (const [id, history] of this.keys) {
      if (history.touchedAt > now - WINDOW_MS) return;
      if (history.spans.every(({ until }) => until !== undefined)) {
        this.forget(history);
        continue;
      }
      // Somebody holds it still.
      history.touchedAt = now;
      this.keys.delete(id);
      this.keys.set(id, history);
    }
  }

  private forget(history: KeyHistory): void {
    this.drop(history, history.spans.length);
    this.keys.delete(idOf(history));
  }

  private drop({ spans }: KeyHistory, count: number): void {
    spans.splice(0, count);
    this.spans -= count;
  }
}

type Counts = Pick<Heat, 'acquired' | 'failed' | 'waitedMs' | 'heldMs'>;

function addHeat(heat: Counts, { acquired, failed, waitedMs, heldMs }: Counts): void {
  heat.acquired += acquired;
  heat.failed += failed;
  heat.waitedMs += waitedMs;
  heat.heldMs += heldMs;
}

/** The part of this minute; those that are over for long are dropped. */
function heatOf({ service, key, minutes }: KeyHistory, now: number): Heat {
  const minute = minuteOf(now);
  const last = minutes.at(-1);
  if (last?.minute === minute) return last;
  const part = { minute, service, key, acquired: 0, failed: 0, waitedMs: 0, heldMs: 0 };
  minutes.push(part);
  if (minutes.length > WINDOW_MS / MINUTE_MS + 1) minutes.shift();
  return part;
}

function reasonOf(error: LockError): string {
  return error instanceof LockUnavailableError ? error.reason : error.code;
}

function minuteOf(now: number): number {
  return Math.floor(now / MINUTE_MS);
}
