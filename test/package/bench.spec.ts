import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { byHand, byHandFenced, byHandQueue } from '../../bench/contenders/by-hand.js';
import { type Contender } from '../../bench/contenders/contender.js';
import { crowd } from '../../bench/measure/crowd.js';
import { growth } from '../../bench/measure/growth.js';
import { interleave } from '../../bench/measure/interleave.js';
import { underLoad } from '../../bench/measure/server-load.js';
import { estimate, fairness, quantile, ratios } from '../../bench/measure/statistics.js';
import { barChart } from '../../bench/report/bar-chart.js';
import { lineChart } from '../../bench/report/line-chart.js';
import { CommandWatch } from '../support/redis-commands.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { ROOT } from './source.js';

const KIND = 'ours';

describe('what the bench computes', () => {
  it('quantiles', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([10, 20], 0.9)).toBeCloseTo(19);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('an estimate, from the medians of the repetitions', () => {
    expect(estimate([[1, 2, 90], [4], [3, 3]])).toEqual({ value: 3, low: 2, high: 4 });
  });

  it('a ratio, round by round, so that a machine that is slow for a while leaves it alone', () => {
    const slowdowns = [1, 1, 30, 2];
    const one = [slowdowns.map((slow) => 2 * slow)];
    const other = [slowdowns.map((slow) => 4 * slow)];
    expect(ratios(one, other)).toEqual([[0.5, 0.5, 0.5, 0.5]]);
  });

  it('how fair a division is', () => {
    expect(fairness([7, 7, 7])).toBeCloseTo(1);
    expect(fairness([9, 0, 0])).toBeCloseTo(1 / 3);
  });

  it.each<[string, (size: number) => number, number, boolean]>([
    ['nothing', () => 5, 0, false],
    ['the logarithm', (size) => Math.log2(size + 1), 0.24, false],
    ['the root', (size) => Math.sqrt(size), 0.5, true],
    ['the size', (size) => 3 * size, 1, true],
  ])('that a cost grows like %s', (_name, cost, exponent, worse) => {
    const found = growth([10, 100, 1_000, 10_000].map((size) => ({ size, cost: cost(size) })));
    expect(found.exponent).toBeCloseTo(exponent, 1);
    expect(found.worse).toBe(worse);
  });

  it('turns: everybody has one in each round, and each begins some round', async () => {
    const order: string[] = [];
    const ways = ['a', 'b', 'c'].map((name) => ({ name, turn: async () => order.push(name) }));
    const samples = await interleave(ways, { forMs: 0, atLeast: 3 });
    expect(order.join('')).toBe('abcbcacab');
    expect([...samples.values()].map(({ length }) => length)).toEqual([3, 3, 3]);
  });

  it.each([
    ['the last to come, of four that come at once', 'pop' as const, 2],
    ['the first', 'shift' as const, 0],
  ])('who was overtaken, when the next to be let in is %s', async (_name, next, overtaken) => {
    const waiting: (() => void)[] = [];
    let taken = false;
    const locker = {
      async acquire() {
        if (taken) await new Promise<void>((resolve) => waiting.push(resolve));
        taken = true;
        return async () => {
          const enter = waiting[next]();
          if (enter === undefined) taken = false;
          else enter();
        };
      },
      close: async () => undefined,
    };
    // No time: everybody has one section.
    const terms = { key: 'key', callers: 4, insideMs: 1, forMs: 0 };
    const report = await crowd(locker, terms);
    expect(report).toMatchObject({ overtakings: overtaken, sections: 4, inTime: [0, 0, 0, 0] });
    expect(report.waitsMs).toHaveLength(4);
    expect(report.insideMs).toBeGreaterThan(3);
  });
});

describe('a plot of the bench', () => {
  const positive = fc.double({ min: 1e-3, max: 1e7, noNaN: true });
  const name = fc.string({ minLength: 1, maxLength: 20 });

  it('is well-formed, whatever it shows', () => {
    const bar = fc.record({ name, p10: positive, median: positive, p90: positive });
    fc.assert(
      fc.property(fc.array(bar, { minLength: 1, maxLength: 12 }), name, (bars, title) => {
        expectPicture(
          barChart({ title, unit: 'ms', bars: bars.map((each) => ({ ...each, kind: KIND })) }),
          bars.length,
        );
      }),
    );
    const line = fc.record({ name, points: fc.array(fc.tuple(positive, positive), { minLength: 1, maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), name, (lines, title) => {
        const points = lines.flatMap((each) => each.points).length;
        const chart = {
          title,
          unit: 'ms',
          across: 'n',
          lines: lines.map((each) => ({ ...each, kind: 'peer' as const })),
        };
        expectPicture(lineChart(chart), points);
      }),
    );
  });
});

describeOnRedis('what the bench counts', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await startRedisServer()));
  afterAll(() => server.stop());

  it.each<[string, Contender, number]>([
    [byHand.name, byHand, 2],
    [byHandFenced.name, byHandFenced, 2],
    [byHandQueue.name, byHandQueue, 2],
  ])('is what clients send, and not what their scripts call: %s', async (_name, contender, each) => {
    const locker = await contender.open(server.url);
    const lock = async (): Promise<void> => void (await (await locker.acquire('key'))());
    await lock();
    const watch = await CommandWatch.start(server);
    const [, { commands }] = await underLoad(server.admin, contender.sends, async () => {
      for (let index = 0; index < 10; index += 1) await lock();
    });
    const { sent, scripted } = await watch.take();
    watch.stop();
    await locker.close();
    expect(commands).toBe(10 * each);
    expect(sent).toHaveLength(10 * each);
    expect(scripted.length).toBeGreaterThan(0);
  });
});

describeOnRedis('npm run bench', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-bench-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('measures, and writes tables and plots that are whole', async () => {
    const args = ['--smallest', '--only', 'one-caller', '--only', 'in-process', '--without-peers', '--out', folder];
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'bench/run.mjs'), ...args]);
    expect(stdout).toMatch(/^(holds|FAILS) {3}1 {2}One caller, free lock/m);
    const page = readFileSync(join(folder, 'RESULTS.md'), 'utf8');
    expect(tablesIn(page).length).toBe(4);
    for (const rows of tablesIn(page)) {
      expect(rows.length).toBeGreaterThan(2);
      expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
    // What is known to the server: a lock is two commands, and a free one costs both sides about that.
    expect(page).toMatch(/^\| nestjs-locked \|(.*\|){2} 2\.00 \|/m);
    const shown = [...page.matchAll(/\]\(plots\/([\w-]+\.svg)\)/g)].map(([, file]) => file);
    expect(shown.toSorted()).toEqual(readdirSync(join(folder, 'plots')).toSorted());
    for (const file of shown) expectPicture(readFileSync(join(folder, 'plots', file!), 'utf8'), 3);
  }, 180_000);

  it('says what it can measure', async () => {
    const run = promisify(execFile)(process.execPath, [
      join(ROOT, 'bench/run.mjs'),
      '--without-peers',
      '--only',
      'no-row',
    ]);
    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('one-caller, many-keys') });
  });
});

/** By tables, rows and cells. */
function tablesIn(page: string): string[][][] {
  const blocks = page.split(/\n\n+/).filter((block) => block.startsWith('|'));
  return blocks.map((block) =>
    block
      .trim()
      .split('\n')
      .map((row) => row.split(/(?<!\\)\|/)),
  );
}

/** Its elements are closed in order, its numbers are numbers, and it shows as much as it should. */
function expectPicture(svg: string, marks: number): void {
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^<>]*>\n/);
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi,
    (_, closing, name: string, __, own) => {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (own === '') open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/);
  expect(svg.match(/<rect /g)!.length).toBeGreaterThanOrEqual(marks);
}
