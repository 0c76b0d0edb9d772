import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LockManager } from '../../lib/index.js';
import { RedisBackend } from '../../lib/redis/index.js';
import { loadScripts, type ScriptName, SCRIPTS } from '../../lib/redis/redis.scripts.js';
import { CommandWatch, type SeenCommand } from '../support/redis-commands.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

jest.setTimeout(60_000);

const FOLDER = join(import.meta.dirname, '../../lib/redis/scripts');

interface Header {
  readonly meaning: string;
  /** As they stand in the brackets: `1`, or `i` where there may be several. */
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly reply: string | undefined;
}

describe.each(SCRIPTS)('the header of %s.lua', (name) => {
  const { header, code } = read(name);

  it('says what the script means and what it replies', () => {
    expect(header.meaning).toMatch(/^[A-Z].*\.$/);
    expect(header.reply).toMatch(/\S/);
  });

  it('names each key and argument that the code uses, and no other', () => {
    expect(header.keys.toSorted()).toEqual(usedIn(code, 'KEYS'));
    expect(header.args.toSorted()).toEqual(usedIn(code, 'ARGV'));
  });

  it('names each outcome that the code replies by name, and no other', () => {
    const named = (text: string): string[] => [...new Set(Array.from(text.matchAll(/'(\w+)'/g), ([, name]) => name!))];
    const outcomes = Array.from(code.matchAll(/(?:return|result =) \{ '(\w+)'/g), ([, outcome]) => outcome!);
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

  it.each(SCRIPTS)('to %s.lua has as many keys and arguments as its header says', async (name) => {
    const { text, digest } = loadScripts({ cluster: false })[name];
    const asked = sent.filter(({ args }) => args[0] === text || args[0] === digest);
    expect(asked.length).toBeGreaterThan(0);
    for (const { args } of asked) {
      const keys = Number(args[1]);
      const rest = args.slice(2 + keys);
      if (name !== 'calls') {
        const { header } = read(name);
        expect([keys, rest.length]).toEqual([header.keys.length, header.args.length]);
        continue;
      }
      const [notAfter, ...calls] = rest;
      expect(notAfter).toMatch(/^\d+$/);
      for (const call of calls) expect(call).toMatch(/^([+?-]|[*!]\d+@\w* |=\d+ )\d+:\d+:[^:]+:\S+( .+)?$/);
      const again = calls.filter((call) => /^[*!]/.test(call)).length;
      expect(keys).toBe(calls.length + (calls.some((call) => /^[+?*!]/.test(call)) ? 1 : 0) + again);
    }
  });
});

/** A script's comment at its head, `-- KEYS[1] line` and so on, and what follows it. */
function read(name: ScriptName): { header: Header; code: string } {
  const lines = readFileSync(join(FOLDER, `${name}.lua`), 'utf8').split('\n');
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

/** Each once: `KEYS[i + 1]` as `i+1`. */
function usedIn(code: string, table: 'KEYS' | 'ARGV'): string[] {
  const uses = Array.from(code.matchAll(new RegExp(`${table}\\[([^\\]]+)\\]`, 'g')), ([, index]) => index!);
  return [...new Set(uses.map((index) => index.replaceAll(' ', '')))].toSorted();
}
