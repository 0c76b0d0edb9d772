import { type LineReport } from '../core/line-report.js';
import { type LockManager } from '../core/lock-manager.js';
import { KeyList } from './key-list.js';
import { LeaseEnds, lineOf, type LineView, rowOf, type RowView } from './line-view.js';
import { type KeyOfService, type View } from './view.js';

export interface ServiceView {
  readonly name: string;
  readonly backend: string;
  /** Why its locks are not shown. */
  readonly problem: string | undefined;
}

/** What a viewer sees of all lines now. */
export interface Sight {
  readonly services: readonly ServiceView[];
  readonly listing: ListingView;
  readonly rows: readonly RowView[];
  readonly line: LineView | undefined;
}

export interface ListingView {
  readonly total: number;
  /** From 0; the last one where the one that was wanted is gone. */
  readonly page: number;
  readonly pages: number;
  /** Whether there are more keys than are counted. */
  readonly isCut: boolean;
}

export const ROWS_OF_PAGE = 50;
/** Questions to one backend at the same time, so that locks find a connection, too. */
const AT_ONCE = 10;
const PATIENCE_MS = 2_000;

/** Looks at the lines of all lock services for one viewer. A service that cannot be asked hides nothing of the others. */
export class Survey {
  private readonly lists: readonly KeyList[];
  private readonly ends = new LeaseEnds();

  constructor(
    services: ReadonlyMap<string, LockManager>,
    private readonly view: View,
  ) {
    this.lists = [...services].map(([name, locks]) => new KeyList(name, locks, view.prefix));
  }

  async look(): Promise<Sight> {
    await withinPatience(Promise.all(this.lists.map((list) => list.refresh())));
    const all = this.sortedKeys();
    const pages = Math.max(1, Math.ceil(all.length / ROWS_OF_PAGE));
    const page = Math.min(this.view.page, pages - 1);
    const shown = all.slice(page * ROWS_OF_PAGE, (page + 1) * ROWS_OF_PAGE);
    const reports = await Promise.all(this.lists.map((list) => this.inspect(list, shown)));

    const now = Date.now();
    const byService = new Map(this.lists.map(({ service }, index) => [service, reports[index]!]));
    const reportOf = ({ service, key }: KeyOfService): LineReport | undefined => byService.get(service)?.get(key);
    const rows = shown.flatMap((shownKey) => {
      const report = reportOf(shownKey);
      return report === undefined ? [] : [rowOf(shownKey.service, report, this.ends, now)];
    });
    const { selected } = this.view;
    const chosen = selected && reportOf(selected);
    const line = selected && chosen && lineOf(selected.service, chosen, this.ends, now);
    this.ends.turn();
    return {
      services: this.lists.map(({ service, locks, problem }) => ({
        name: service,
        backend: locks.backend.name,
        problem,
      })),
      listing: { total: all.length, page, pages, isCut: this.lists.some(({ isCut }) => isCut) },
      rows,
      line,
    };
  }

  private sortedKeys(): readonly KeyOfService[] {
    const all = this.lists.flatMap(({ service, keys }) => keys.map((key) => ({ service, key })));
    // Each list is sorted already.
    return this.lists.length === 1 ? all : all.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  private async inspect(list: KeyList, shown: readonly KeyOfService[]): Promise<Map<string, LineReport>> {
    const reports = new Map<string, LineReport>();
    const { selected } = this.view;
    const wanted = selected === undefined ? shown : [...shown, selected];
    const keys = new Set(wanted.filter(({ service }) => service === list.service).map(({ key }) => key));
    const left = [...keys];
    const ask = async (): Promise<void> => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) reports.set(key, await list.locks.inspect(key));
    };
    try {
      await withinPatience(Promise.all(Array.from({ length: AT_ONCE }, ask)));
    } catch (error) {
      left.length = 0;
      list.problem = (error as Error).message;
    }
    return reports;
  }
}

/** What takes longer is not waited for: it is there the next time, or the service has a problem to tell of. */
async function withinPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
