/** What a viewer looks at: one page of the keys that begin with `prefix`, and one key in detail. */
export interface View {
  readonly prefix: string;
  /** From 0. */
  readonly page: number;
  readonly selected: KeyOfService | undefined;
}

export interface KeyOfService {
  readonly service: string;
  readonly key: string;
}

/** One string for both, for maps and for the page. */
export function idOf({ service, key }: KeyOfService): string {
  return JSON.stringify([service, key]);
}

/** Whatever is no view is the first page of all keys. */
export function readView(url: string): View {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const page = Number(query.get('page') ?? 0);
  const [service, key] = [query.get('service'), query.get('key')];
  return {
    prefix: query.get('prefix') ?? '',
    page: Number.isSafeInteger(page) && page > 0 ? page : 0,
    selected: service === null || key === null ? undefined : { service, key },
  };
}
