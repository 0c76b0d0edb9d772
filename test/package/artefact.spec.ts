import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres } from '../support/postgres-server.js';
import { someRedis } from '../support/redis-installed.js';
import { packageJson, ROOT } from './source.js';
import { namesIn } from './surface.js';

/** An application in plain JavaScript, with what a compiler would emit for a decorator. */
const APP = `
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Locked, LockModule, LockService } from 'nestjs-locked';

let inside = 0;
let most = 0;
const alone = async () => {
  most = Math.max(most, (inside += 1));
  await sleep(2);
  inside -= 1;
};
class Shop {
  sell() { return alone(); }
}
const descriptor = Object.getOwnPropertyDescriptor(Shop.prototype, 'sell');
Object.defineProperty(Shop.prototype, 'sell', Locked('shop')(Shop.prototype, 'sell', descriptor) ?? descriptor);
class AppModule {}
Module({ imports: [LockModule.forRoot()], providers: [Shop] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const [locks, shop] = [app.get(LockService), app.get(Shop)];
await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? shop.sell() : locks.run('shop', alone))));
await app.close();

const names = {};
for (const entry of process.argv.slice(2)) names[entry] = Object.keys(await import(entry)).toSorted();
console.log(JSON.stringify({ most, names }));
`;

const COMMONJS = `
require('reflect-metadata');
const { LockManager } = require('nestjs-locked');
const { MemoryBackend } = require('nestjs-locked/memory');
const locks = new LockManager({ backend: new MemoryBackend() });
locks.run('key', () => 'ran').then(console.log).then(() => locks.close());
`;

const TYPES = `
import { type Lock, type LockBackend, LockManager } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
const backend: LockBackend = new MemoryBackend();
const token: Promise<bigint> = new LockManager({ backend }).run('key', (lock: Lock) => lock.fencingToken);
// @ts-expect-error a key is a string
void new LockManager({ backend }).run(42, () => token);
`;

const COMMONJS_ON_REDIS = `
const { LockManager } = require('nestjs-locked');
const { RedisBackend } = require('nestjs-locked/redis');
const backend = new RedisBackend({ url: process.argv[2], prefix: 'artefact' });
const locks = new LockManager({ backend });
locks.run('key', () => 'ran').then(console.log).finally(() => locks.close());
`;

const WITHOUT_ZOOKEEPER = `
const { LockManager, isLockError } = require('nestjs-locked');
const { ZooKeeperBackend } = require('nestjs-locked/zookeeper');
const locks = new LockManager({ backend: new ZooKeeperBackend({ connect: '127.0.0.1:1' }) });
locks.run('key', () => 'ran').catch((error) => console.log(isLockError(error), error.code, error.message)).finally(() => locks.close());
`;

const TYPES_OF_ZOOKEEPER = `
import { type LockBackend } from 'nestjs-locked';
import { ZooKeeperBackend } from 'nestjs-locked/zookeeper';
export const backend: LockBackend = new ZooKeeperBackend({ connect: '', auth: { user: '', password: '' } });
// @ts-expect-error where the servers are must be said
void new ZooKeeperBackend({});
`;

const TYPES_OF_REDIS = `
import { type LockBackend } from 'nestjs-locked';
import { RedisBackend } from 'nestjs-locked/redis';
export const backends: LockBackend[] = [new RedisBackend({ url: '' }), new RedisBackend({ options: { port: 1 } })];
// @ts-expect-error one of url, options and client
void new RedisBackend({});
`;

const COMMONJS_ON_POSTGRES = `
const { LockManager } = require('nestjs-locked');
const { CasBackend } = require('nestjs-locked/cas');
const { PostgresStore } = require('nestjs-locked/cas/postgres');
const backend = new CasBackend({ store: new PostgresStore({ url: process.argv[2], createTable: true }) });
const locks = new LockManager({ backend });
locks.run('key', () => 'ran').then(console.log).finally(() => locks.close());
`;

const TYPES_OF_POSTGRES = `
import { Pool } from 'pg';
import { PostgresStore } from 'nestjs-locked/cas/postgres';
export const stores = [new PostgresStore({ url: '' }), new PostgresStore({ pool: new Pool() })];
// @ts-expect-error a table has a name
void new PostgresStore({ url: '', table: 1 });
`;

const OFFLINE = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];

describe('the published package, installed from its tarball next to Nest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-artefact-'));
  const { devDependencies, exports } = packageJson();
  const entries = Object.keys(exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => `nestjs-locked${subpath.slice(1)}`);
  let packed: string[];

  beforeAll(() => {
    npm(ROOT, 'pack', '--pack-destination', folder);
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    // A relative name: a tar that knows hosts takes what is before a colon for one.
    packed = execFileSync('tar', ['-tzf', tarball], { cwd: folder, encoding: 'utf8' }).trim().split('\n');

    const wanted = [
      '@nestjs/common',
      '@nestjs/core',
      '@nestjs/platform-express',
      'reflect-metadata',
      'rxjs',
      '@types/node',
    ];
    const versions = wanted.map((name) => [name, devDependencies[name]]);
    const dependencies = Object.fromEntries([...versions, ['nestjs-locked', `file:./${tarball}`]]);
    write('package.json', JSON.stringify({ private: true, type: 'module', dependencies }));
    npm(folder, 'install', ...OFFLINE);
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what is built, and nothing else', () => {
    const files = packed.map((path) => path.replace(/^package\//, ''));
    const expected =
      /^(dist\/.+\.(js|js\.map|d\.ts)|dist\/redis\/scripts\/\w+\.lua|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
    expect(files.filter((path) => !expected.test(path))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js']));
  });

  it('locks in a Nest application, where no client of any server is installed', () => {
    write('app.js', APP);
    expect((JSON.parse(run('app.js')) as { most: number }).most).toBe(1);
  }, 60_000);

  it('can be required by CommonJS', () => {
    write('app.cjs', COMMONJS);
    expect(run('app.cjs')).toBe('ran\n');
  }, 60_000);

  it('brings its types', () => {
    write('app.ts', TYPES);
    // What is declared is checked too: no skipLibCheck.
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      strict: true,
    };
    const config = { compilerOptions: { ...compilerOptions, types: ['node'], noEmit: true }, files: ['app.ts'] };
    write('tsconfig.json', JSON.stringify(config));
    run(join(ROOT, 'node_modules/typescript/bin/tsc'));
  }, 60_000);

  it('has ZooKeeper on offer where its driver is not installed, and tells whoever takes it', () => {
    write('zookeeper.cjs', WITHOUT_ZOOKEEPER);
    expect(run('zookeeper.cjs')).toMatch(
      /^true LOCK_CONFIG zookeeper: its driver is not installed: npm install zookeeper/,
    );
    write('app.ts', TYPES_OF_ZOOKEEPER);
    run(join(ROOT, 'node_modules/typescript/bin/tsc'));
  }, 60_000);

  it('exports at run time what was agreed on, and locks on servers, where their clients are installed', async () => {
    const clients = ['ioredis', 'pg', '@types/pg'].map((name) => `${name}@${devDependencies[name]}`);
    npm(folder, 'install', ...OFFLINE, ...clients);
    const { names } = JSON.parse(run('app.js', ...entries)) as { names: Record<string, string[]> };
    const agreed = namesIn(readFileSync(join(import.meta.dirname, 'public-surface.txt'), 'utf8'));
    const loaded = Object.entries(names).flatMap(([entry, own]) => own.map((name) => `${entry}: value  ${name}`));
    expect(loaded).toEqual(agreed.filter((line) => line.includes(': value  ')));

    const redis = await someRedis();
    try {
      write('redis.cjs', COMMONJS_ON_REDIS);
      expect(run('redis.cjs', redis.url)).toBe('ran\n');
      write('app.ts', TYPES_OF_REDIS);
      run(join(ROOT, 'node_modules/typescript/bin/tsc'));
    } finally {
      await redis.stop();
    }

    const postgres = await startPostgres();
    try {
      write('postgres.cjs', COMMONJS_ON_POSTGRES);
      expect(run('postgres.cjs', postgres.url)).toBe('ran\n');
      write('app.ts', TYPES_OF_POSTGRES);
      run(join(ROOT, 'node_modules/typescript/bin/tsc'));
    } finally {
      await postgres.stop();
    }
  }, 120_000);

  function write(name: string, text: string): void {
    writeFileSync(join(folder, name), text);
  }

  function run(...args: string[]): string {
    return ran(spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 50_000 }), args);
  }

  function npm(cwd: string, ...args: string[]): void {
    // By the shell, since npm is a script on Windows. Nothing here has a character that a shell would take.
    ran(spawnSync(`npm ${args.join(' ')}`, { cwd, shell: true, encoding: 'utf8' }), ['npm', ...args]);
  }

  function ran(result: ReturnType<typeof spawnSync>, command: readonly string[]): string {
    const { status, stdout, stderr } = result;
    if (status === 0) return String(stdout);
    throw new Error(`${command.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  }
});
