import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const FOLDER = new URL('./page/', import.meta.url);

/** What the page loads, by name: nothing else is ever read on behalf of a request. */
export function loadPageFiles(): ReadonlyMap<string, PageFile> {
  const files = readdirSync(FOLDER).filter((name) => extname(name) in TYPES);
  return new Map(
    files.map((name) => [name, { type: TYPES[extname(name)]!, content: readFileSync(new URL(name, FOLDER)) }]),
  );
}

export function loadPage(): string {
  return readFileSync(new URL('page.html', FOLDER), 'utf8');
}

/**
 * The page with links that work from the address that it was asked at, whichever prefixes a proxy took away before: relative
 * to `…/locks` it is `locks/files/…`, relative to `…/locks/` it is `files/…`.
 */
export function pageAt(page: string, url: string): string {
  const [path = ''] = url.split('?');
  const last = path.slice(path.lastIndexOf('/') + 1);
  return page.replaceAll('{{here}}', last === '' ? '' : `${encodeURIComponent(decodeURIComponent(last))}/`);
}
