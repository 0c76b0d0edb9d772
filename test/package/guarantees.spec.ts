import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from './source.js';

const page = join(ROOT, 'docs/guarantees.md');
const text = readFileSync(page, 'utf8');
const links = Array.from(text.matchAll(/\]\((?<path>[^\s)]+?)(?:\s+'(?<title>[^']+)')?\)/g), ({ groups }) => groups!);

describe('docs/guarantees.md', () => {
  it.each(links)('$path has $title', ({ path, title }) => {
    const file = join(dirname(page), path!);
    expect(existsSync(file)).toBe(true);
    if (title !== undefined) expect(readFileSync(file, 'utf8').replace(/\s+/g, ' ')).toContain(title);
  });

  it('promises nothing without the name of a test', () => {
    const [promises] = text.split('## The fault runs');
    const sentences = promises!.split(/\n(?=- |\n|#)/).filter((part) => part.startsWith('- '));
    expect(sentences.length).toBeGreaterThan(15);
    for (const sentence of sentences) expect(sentence).toMatch(/\]\(\.\.\/test\/\S+ '/);
  });
});
