import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { filesUnder, packageJson } from './source.js';
import { difference, print, type Surface, surfaceOf } from './surface.js';

const SNAPSHOT = join(import.meta.dirname, 'public-surface.txt');
const UPDATE = 'UPDATE_SURFACE=1 npm run jest -- test/package/public-surface';

/** 'nestjs-locked/memory' → 'memory/index.ts', for each entry point of package.json. */
const entries = Object.entries(packageJson().exports).flatMap(([subpath, target]): [string, string][] => {
  if (typeof target === 'string') return [];
  const file = target.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts');
  return [[`nestjs-locked${subpath.slice(1)}`, file]];
});

describe('the public surface', () => {
  const files = filesUnder('lib');
  const surfaces = new Map(entries.map(([entry, file]): [string, Surface] => [entry, surfaceOf(file, files)]));

  it('is the one that was agreed on, in public-surface.txt', () => {
    const now = print(surfaces);
    if (process.env['UPDATE_SURFACE']) writeFileSync(SNAPSHOT, now);
    const changes = difference(readFileSync(SNAPSHOT, 'utf8'), now);
    if (changes.length === 0) return;
    throw new Error(
      `What users can import has changed:\n\n${changes.join('\n')}\n\n` +
        `If that is meant, say so in CHANGELOG.md, and update the list: ${UPDATE}`,
    );
  });

  it.each(entries)('of %s has at run time what its source exports', async (entry) => {
    const runtime: object = await import(entry);
    const values = [...surfaces.get(entry)!].filter(([, kind]) => kind === 'value').map(([name]) => name);
    expect(Object.keys(runtime).toSorted()).toEqual(values.toSorted());
  });
});

describe('the check of the public surface', () => {
  const files = new Map([
    ['index.ts', `export * from './a.js'; export { type B, C as D } from './b.js'; export type { E } from './e.js';`],
    ['a.ts', `export class F {} export interface G {} export const h = 1, i = 2; export function j() {} class K {}`],
  ]);
  const before = print(new Map([['it', surfaceOf('index.ts', files)]]));

  it('finds every kind of export, through every kind of re-export', () => {
    const values = ['D', 'F', 'h', 'i', 'j'].map((name) => `  value  ${name}`);
    const types = ['B', 'E', 'G'].map((name) => `  type   ${name}`);
    expect(before).toBe(['it', ...types, ...values, ''].join('\n'));
  });

  it('fails for a name that is gone, that is new, and that is no longer there at run time', () => {
    const changed = new Map([
      ...files,
      ['a.ts', `export interface F {} export const h = 1, i = 2, l = 3; export type G = 1`],
    ]);
    const after = print(new Map([['it', surfaceOf('index.ts', changed)]]));
    expect(difference(before, before)).toEqual([]);
    expect(difference(before, after)).toEqual(['- it: value  F', '- it: value  j', '+ it: type   F', '+ it: value  l']);
  });
});
