import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { filesUnder } from '../package/source.js';

const SAMPLES = join(import.meta.dirname, '../../sample');
/** What the README is cut from, the example of a store, and the ticket sale that `npm test` runs by itself. */
const OTHERS = ['00-readme', '00-store', '01-ticket-sale', 'dist'];

const folders = readdirSync(SAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const samples = folders.map(({ name }) => name).filter((name) => !OTHERS.includes(name));
const specs = [...filesUnder('test/samples').values()].join('\n');
const readme = readFileSync(join(SAMPLES, '../README.md'), 'utf8');

describe.each(samples)('sample %s', (name) => {
  it('has less than 150 lines', () => {
    const lines = [...filesUnder(`sample/${name}`).values()].flatMap((text) => text.trimEnd().split('\n'));
    expect(lines.length).toBeLessThan(150);
  });

  it('is started by a test, and named in the README', () => {
    expect(specs).toContain(`SampleProcess.start('${name}'`);
    expect(readme).toContain(`(sample/${name})`);
  });
});
