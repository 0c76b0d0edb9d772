import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { MemoryBackend } from '../../lib/memory/index.js';
import { readDefaults } from '../../lib/core/options.js';
import { filesUnder, type Node, nodesOf, packageJson, parse, ROOT, stringOf } from './source.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

describe('the code blocks of the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-readme-'));
  const file = join(folder, 'README.md');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const tool = (...args: string[]): { status: number | null; said: string } => {
    const result = spawnSync(process.execPath, [join(ROOT, 'tools/readme.mjs'), ...args], { encoding: 'utf8' });
    return { status: result.status, said: result.stdout + result.stderr };
  };

  it('are cut from files that CI runs', () => {
    expect(tool()).toEqual({ status: 0, said: expect.stringMatching(/^[1-9]\d* blocks are as cut/) });
  });

  const source = '<!-- from sample/00-readme/quick-start.ts#quick-start -->';
  it.each([
    [
      'a changed block',
      (text: string) => text.replace('balance + amount', 'balance - amount'),
      'the block differs from',
    ],
    ['a block without a source', (text: string) => text.replace(source, ''), 'without a source'],
    ['a new block', (text: string) => `${text}\n\`\`\`ts\nconst a = 1;\n\`\`\`\n`, 'without a source'],
    [
      'a region that is not there',
      (text: string) => text.replace('#quick-start -->', '#gone -->'),
      'has no "// #region gone"',
    ],
    ['a file that is not there', (text: string) => text.replace('quick-start.ts#', 'gone.ts#'), 'no such file'],
    [
      'a file that nothing runs',
      (text: string) => text.replace('from sample/00-readme/q', 'from lib/q'),
      'only what is under',
    ],
    ['a source above no block', (text: string) => `${text}\n${source}\n\nThe end.\n`, 'stands above no block'],
  ])('are refused: %s', (_name, change, problem) => {
    const changed = change(readme);
    expect(changed).not.toBe(readme);
    writeFileSync(file, changed);
    expect(tool(file)).toEqual({ status: 1, said: expect.stringMatching(new RegExp(`README.md:\\d+: .*${problem}`)) });
  });

  it('are cut anew by --write', () => {
    writeFileSync(file, readme.replace('balance + amount', 'balance - amount'));
    expect(tool('--write', file).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(readme);
  });
});

describe('the commands of the README', () => {
  const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.trim().split('\n'));

  it('exist', () => {
    const builtIn = { install: 'npm install nestjs-locked' };
    const known: Record<string, string> = { ...packageJson().scripts, ...builtIn };
    const names = commands.map((command) => /^npm (?:run )?([\w:]+)/.exec(command)?.[1] ?? command);
    expect(names).toEqual(expect.arrayContaining(['install', 'start', 'test']));
    for (const name of names) expect(Object.keys(known)).toContain(name);
  });
});

describe('the tables of options in the README', () => {
  const documents: [string, string[]][] = [
    ['Of the module', ['LockManagerOptions', 'LockModuleOptions', 'LockModuleExtras']],
    ['Of an acquisition', ['AcquireOptions', 'RunOptions']],
    ['Of the decorator and the interceptor', ['LockedOptions']],
  ];

  it.each(documents)('have every option of the code, and no other: %s', (heading, interfaces) => {
    const options = interfaces.flatMap((name) => membersOf(name));
    expect([...tableUnder(heading).keys()].toSorted()).toEqual([...new Set(options)].toSorted());
  });

  it('have the defaults of the code', () => {
    const table = tableUnder('Of the module');
    const all = Object.entries(readDefaults({ backend: new MemoryBackend() }));
    const defaults = all.filter(([, value]) => typeof value === 'number');
    expect(defaults.length).toBeGreaterThan(0);
    for (const [option, value] of defaults) expect(`${option}: ${table.get(option)}`).toBe(`${option}: ${value}`);
  });

  /** What is in the second column, by what is in the first. */
  function tableUnder(heading: string): Map<string, string> {
    const [, section = ''] = readme.split(`### ${heading}\n`);
    const rows = section.split('\n#')[0]!.matchAll(/^\| `(\w+)` +\| (.*?) +\|/gm);
    return new Map([...rows].map(([, option, value]) => [option!, value!]));
  }

  /** The members that an interface of lib declares itself. */
  function membersOf(name: string): string[] {
    for (const text of filesUnder('lib').values()) {
      for (const node of nodesOf(parse(text))) {
        if (node.type !== 'TsInterfaceDeclaration' || stringOf(node['id']) !== name) continue;
        return ((node['body'] as Node)['body'] as Node[]).map((member) => stringOf(member['key'])!);
      }
    }
    throw new Error(`lib has no interface ${name}`);
  }
});
