import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');

/** What a simulation could not hold. */
const AROUND_THE_PORTS = [
  'export const now = Date.now();',
  'export const now = performance.now();',
  'export const now = process.hrtime.bigint();',
  'export const timer = setTimeout(() => undefined, 1);',
  'export const timer = setInterval(() => undefined, 1);',
  'export const turn = setImmediate(() => undefined);',
  'export const later = AbortSignal.timeout(1);',
  'export const chance = Math.random();',
  'export const id = crypto.randomUUID();',
  'export const time = globalThis.Date;',
  `import { performance as clock } from 'node:perf_hooks';\nexport const now = clock.now();`,
  `import { setTimeout as sleep } from 'node:timers/promises';\nexport const slept = sleep(1);`,
  `import { setTimeout as later } from 'node:timers';\nexport const timer = later(() => undefined, 1);`,
  `import { randomBytes } from 'node:crypto';\nexport const id = randomBytes(1);`,
];

describe('the linter', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-lint-'));
    cpSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const accepts = (path: string, text: string): boolean => {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
    const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
    return spawnSync(oxlint, ['--deny-warnings', path], { cwd: folder }).status === 0;
  };

  it.each(AROUND_THE_PORTS)('refuses time and chance around the ports of the core: %s', (text) => {
    expect(accepts('lib/core/around.ts', text)).toBe(false);
    expect(accepts('lib/core/clock.ts', text)).toBe(true);
    expect(accepts('lib/zookeeper/zookeeper.around.ts', text)).toBe(false);
    expect(accepts('lib/zookeeper/zookeeper.relay.ts', text)).toBe(true);
  });

  it('accepts what asks the ports', () => {
    const text = `import { type Clock } from './clock.js';\nexport const now = (clock: Clock): number => clock.now();`;
    expect(accepts('lib/core/by-a-port.ts', text)).toBe(true);
  });
});
