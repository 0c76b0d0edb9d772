import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LockManager } from '../../lib/index.js';
import { RedisBackend } from '../../lib/redis/index.js';
import { loadScripts, type Verb, VERBS } from '../../lib/redis/redis.scripts.js';
import { CommandWatch, type SeenCommand } from '../support/redis-commands.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

jest.setTimeout(60_000);

const SCRIPTS = join(import.meta.dirname, '../../lib/redis/scripts');

interface Header {
  readonly meaning: string;
  /** As they stand in the brackets: `1`, or `3i-2` where there may be several. */
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly reply: string | undefined;
}

describe.each(VERBS)('the header of %s.lua', (verb) => {
  const { header, code } = read(verb);

  it('says what the script means and what it replies', () => {
    expect(header.meaning).toMatch(/^[A-Z].*\.$/);
    expect(header.reply).toMatch(/\S/);
  });

  it('names each key and argument that the code uses, and no other', () => {
    expect(header.keys).toEqual(usedIn(code, 'KEYS'));
    expect(header.args).toEqual(usedIn(code, 'ARGV'));
  });

  it('names each outcome that the code replies by name, and no other', () => {
    const named = (text: string): string[] => [...new Set(Array.from(text.matchAll(/'(\w+)'/g), ([, name]) => name!))];
    const returned = code.split('\n').filter((line) => /return \{ stamp/.test(line));
    const outcomes = returned.map((line) => named(line.slice(line.indexOf('return {')))[0]!);
    expect(named(header.reply!).toSorted()).toEqual([...new Set(outcomes)].toSorted());
  });
});

describeOnRedis('what is sent', () => {
  let server: RedisServer;
  let sent: readonly SeenCommand[];

  beforeAll(async () => {
    server = await startRedisServer();
    const watch = await CommandWatch.start(server);
    const manager = new LockManager({ backend: new RedisBackend({ url: server.url }), leaseMs: 600 });
    const locks = await Promise.all(['a', 'b', 'c'].map((key) => manager.acquire(key)));
    await manager.tryAcquire('a', { mode: 'shared' });
    const { holders } = await manager.inspect('b');
    await manager.forceRelease('b', holders[0]!);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await Promise.all(locks.map((lock) => lock.release()));
    ({ sent } = await watch.take());
    watch.stop();
    await manager.close();
  });
  afterAll(() => server.stop());

  it.each(VERBS)('to %s.lua has as many keys and arguments as its header says', async (verb) => {
    const { header } = read(verb);
    const text = loadScripts()[verb];
    const digest = createHash('sha1').update(text).digest('hex');
    const calls = sent.filter(({ args }) => args[0] === text || args[0] === digest);
    expect(calls.length).toBeGreaterThan(0);
    for (const { args } of calls) {
      const keys = Number(args[1]);
      const times = verb === 'renew' ? keys / header.keys.length : 1;
      expect(keys).toBe(times * header.keys.length);
      expect(args.length - 2 - keys).toBe(times * header.args.length);
      expect(Number.isInteger(times)).toBe(true);
    }
  });
});

/** A script's comment at its head, `-- KEYS[1] line` and so on, and what follows it. */
function read(verb: Verb): { header: Header; code: string } {
  const lines = readFileSync(join(SCRIPTS, `${verb}.lua`), 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const comment = lines.slice(0, end).map((line) => line.replace(/^-- ?/, ''));
  const text = comment.join('\n');
  const [meaning = ''] = text.split('\n\n');
  const named = (table: string): string[] =>
    comment.flatMap((line) => new RegExp(`^${table}\\[(.+?)\\] +\\S`).exec(line)?.[1] ?? []);
  const [, reply] = /^Reply: ([^]*)$/m.exec(text) ?? [];
  const header = { meaning: meaning.replaceAll('\n', ' '), keys: named('KEYS'), args: named('ARGV'), reply };
  return { header, code: lines.slice(end).join('\n') };
}

/** Each once, in the order of the header: `1` before `2`, and `KEYS[3 * i - 2]`, as `3i-2`, before `3i`. */
function usedIn(code: string, table: 'KEYS' | 'ARGV'): string[] {
  const uses = Array.from(code.matchAll(new RegExp(`${table}\\[([^\\]]+)\\]`, 'g')), ([, index]) => index!);
  const order = (index: string): number => Number(index.match(/\d+$/)?.[0] ?? 0) * (index.includes('-') ? -1 : 1);
  return [...new Set(uses.map((index) => index.replace(/[ *]/g, '')))].toSorted((a, b) => order(a) - order(b));
}
