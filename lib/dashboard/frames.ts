import { type Heat, type LockHistory, type Loss, type Span, WINDOW_MS } from './lock-history.js';
import { type LineView, type RowView } from './line-view.js';
import { type ListingView, type ServiceView, type Sight } from './survey.js';
import { type KeyOfService } from './view.js';

/** One message to the page: only what has changed since the last one. */
export interface Frame {
  /** The clock that all instants are of. */
  readonly at: number;
  readonly services?: readonly ServiceView[];
  readonly listing?: ListingView;
  /** The ids of the rows that are shown, in order. */
  readonly order?: readonly string[];
  readonly rows?: readonly RowView[];
  /** null: it has no line. */
  readonly line?: LineView | null;
  readonly spans?: readonly Span[];
  readonly hottest?: readonly Heat[];
  readonly losses?: readonly Loss[];
  readonly windowMs?: number;
}

const MOST_HOT_KEYS = 8;
const MOST_LOSSES = 12;
/** In one frame; the rest comes with the next ones. */
const MOST_SPANS = 100;

/** Makes the frames of one viewer, who has seen the ones before. */
export class Frames {
  private readonly sent = new Map<string, string>();
  private sentRows = new Map<string, string>();
  private lastChange = 0;

  constructor(
    private readonly history: LockHistory,
    private readonly selected: KeyOfService | undefined,
  ) {}

  next(sight: Sight, now: number): Frame {
    const { services, listing, line = null } = sight;
    const order = sight.rows.map(({ id }) => id);
    const hottest = this.history.hottest(now, MOST_HOT_KEYS).map(rounded);
    const losses = this.history.losses.slice(0, MOST_LOSSES);
    return {
      at: now,
      ...this.ifChanged({ services, listing, order, line, hottest, losses, windowMs: WINDOW_MS }),
      ...ifAny('rows', this.changedRows(sight.rows)),
      ...ifAny('spans', this.changedSpans()),
    };
  }

  private ifChanged(sections: Partial<Frame>): Partial<Frame> {
    const changed = Object.entries(sections).filter(([name, section]) => {
      const text = JSON.stringify(section);
      if (this.sent.get(name) === text) return false;
      this.sent.set(name, text);
      return true;
    });
    return Object.fromEntries(changed);
  }

  private changedRows(rows: readonly RowView[]): readonly RowView[] {
    const before = this.sentRows;
    this.sentRows = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
    return rows.filter(({ id }) => this.sentRows.get(id) !== before.get(id));
  }

  private changedSpans(): readonly Span[] {
    if (this.selected === undefined) return [];
    const changed = this.history.changedSpans(this.selected, this.lastChange);
    const due = changed.toSorted((a, b) => a.change - b.change).slice(0, MOST_SPANS);
    this.lastChange = due.at(-1)?.change ?? this.lastChange;
    return due;
  }
}

function ifAny<Name extends 'rows' | 'spans'>(name: Name, items: NonNullable<Frame[Name]>): Partial<Frame> {
  return items.length === 0 ? {} : { [name]: items };
}

function rounded(heat: Heat): Heat {
  return { ...heat, waitedMs: Math.round(heat.waitedMs), heldMs: Math.round(heat.heldMs) };
}
