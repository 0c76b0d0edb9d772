import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres } from '../support/postgres-server.js';
import { someRedis } from '../support/redis-installed.js';
import { type Dependencies, Installation, npm } from './installation.js';
import { filesUnder, packageJson, ROOT } from './source.js';
import { namesIn } from './surface.js';

/** What each entry point has at run time. */
const NAMES = `
const names = {};
for (const entry of process.argv.slice(2)) names[entry] = Object.keys(await import(entry)).toSorted();
console.log(JSON.stringify(names));
`;

const COMMONJS = `
require('reflect-metadata');
const { LockManager } = require('nestjs-locked');
const { MemoryBackend } = require('nestjs-locked/memory');
const locks = new LockManager({ backend: new MemoryBackend() });
locks.run('key', () => 'ran').then(console.log).then(() => locks.close());
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

const COMMONJS_OBSERVED = `
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { TerminusModule } = require('@nestjs/terminus');
const { LockModule } = require('nestjs-locked');
const { LockTelemetryModule } = require('nestjs-locked/opentelemetry');
const { LockHealthIndicator } = require('nestjs-locked/terminus');
class AppModule {}
Module({
  imports: [LockModule.forRoot(), LockTelemetryModule.forRoot(), TerminusModule],
  providers: [LockHealthIndicator],
})(AppModule);
NestFactory.createApplicationContext(AppModule, { logger: ['error'] }).then(async (app) => {
  const { locks } = await app.get(LockHealthIndicator).pingCheck('locks');
  console.log(locks.status);
  await app.close();
});
`;

const TYPES_OF_OBSERVATION = `
import { LockTelemetryModule, observeLocks } from 'nestjs-locked/opentelemetry';
export const observed = [LockTelemetryModule.forRoot({ keyTemplate: (key) => key.slice(0, 4) }), observeLocks()];
// @ts-expect-error a template is text
void observeLocks({ keyTemplate: () => 1 });
`;

const { devDependencies, exports } = packageJson();
const ENTRIES = Object.keys(exports)
  .filter((subpath) => !subpath.endsWith('.json'))
  .map((subpath) => `nestjs-locked${subpath.slice(1)}`);
const APP = join(import.meta.dirname, 'application/app.ts');
const TSC = 'node_modules/typescript/bin/tsc';

/** With the settings of `nest new`, and without skipLibCheck: what the package declares is checked, too. */
const COMPILER_OPTIONS = {
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  types: ['node'],
  strict: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  esModuleInterop: true,
  noEmitOnError: true,
  rootDir: '.',
  outDir: 'dist',
};

interface Application {
  readonly name: string;
  readonly type: 'module' | 'commonjs';
  readonly nest: string;
  readonly terminus: string;
  readonly typescript: string;
  /** Of `compilerOptions`: how the compiler finds the package, in each way that there is. */
  readonly modules: readonly object[];
}

const APPLICATIONS: readonly Application[] = [
  {
    name: 'Nest 12, ES modules, TypeScript 7',
    type: 'module',
    nest: devDependencies['@nestjs/core']!,
    terminus: devDependencies['@nestjs/terminus']!,
    typescript: devDependencies['typescript']!,
    modules: [{ module: 'ESNext', moduleResolution: 'Bundler' }, { module: 'NodeNext' }],
  },
  {
    name: 'Nest 11, CommonJS, TypeScript 5.9',
    type: 'commonjs',
    nest: '11.2.10',
    terminus: '11.1.1',
    typescript: '5.9.3',
    modules: [{ module: 'NodeNext' }, { module: 'CommonJS', moduleResolution: 'Node10' }],
  },
];

/** What an application has, besides the package. */
function dependenciesOf({ nest, typescript }: Application): Dependencies {
  const kept = ['reflect-metadata', 'rxjs', '@types/node'].map((name) => [name, devDependencies[name]!]);
  const ofNest = ['common', 'core', 'platform-express'].map((name) => [`@nestjs/${name}`, nest]);
  return { ...Object.fromEntries([...kept, ...ofNest]), typescript };
}

describe('the published package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-artefact-'));
  let tarball: string;

  beforeAll(() => {
    npm(ROOT, 'pack', '--pack-destination', folder);
    tarball = join(
      folder,
      readdirSync(folder).find((name) => name.endsWith('.tgz'))!,
    );
    // A relative name: a tar that knows hosts takes what is before a colon for one.
    execFileSync('tar', ['-xzf', basename(tarball)], { cwd: folder });
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what is built from lib, and what is to be read, and nothing else', () => {
    const built = [...filesUnder('lib').keys()].flatMap((path) =>
      ['.js', '.js.map', '.d.ts'].map((kind) => `dist/${path.replace(/\.ts$/, kind)}`),
    );
    const copied = ['redis/scripts', 'dashboard/page'].flatMap((folder) =>
      readdirSync(join(ROOT, 'lib', folder)).map((name) => `dist/${folder}/${name}`),
    );
    const expected = [...built, ...copied, 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    const held = readdirSync(join(folder, 'package'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const paths = held.map(({ parentPath, name }) => relative(join(folder, 'package'), join(parentPath, name)));
    expect(paths.map((path) => path.replaceAll(sep, '/')).toSorted()).toEqual(expected.toSorted());
  });

  describe.each([
    ['publint', () => ['node_modules/publint/src/cli.js', '--strict']],
    // From CommonJS it is loaded with require(esm), and types are found: but not by compilers that know nothing of that.
    ['attw', () => ['node_modules/@arethetypeswrong/cli/dist/index.js', '--profile', 'esm-only']],
  ])('%s', (_name, command) => {
    const judge = (path: string): number | null =>
      spawnSync(process.execPath, [...command(), path], { cwd: ROOT, stdio: 'ignore', timeout: 50_000 }).status;

    it('finds nothing wrong with it', () => {
      expect(judge(tarball)).toBe(0);
    });

    it('would find types that are not where package.json says', () => {
      const file = join(folder, 'package/package.json');
      const sound = readFileSync(file, 'utf8');
      try {
        writeFileSync(file, sound.replaceAll('./dist/memory/index.d.ts', './dist/memory/gone.d.ts'));
        execFileSync('tar', ['-czf', 'wrong.tgz', 'package'], { cwd: folder });
      } finally {
        writeFileSync(file, sound);
      }
      expect(judge(join(folder, 'wrong.tgz'))).toBe(1);
    });
  });

  describe.each(APPLICATIONS)('in an application with $name', (application) => {
    const { type, nest, terminus, typescript, modules } = application;
    let installed: Installation;

    beforeAll(() => {
      installed = new Installation(type);
      installed.copy(tarball, 'package.tgz');
      installed.install({ ...dependenciesOf(application), 'nestjs-locked': 'file:./package.tgz' });
    }, 300_000);
    afterAll(() => installed?.remove());

    it.each(modules)(
      'type-checks with $module modules, boots, and locks where no client is installed',
      (how) => {
        expect([installed.versionOf('@nestjs/core'), installed.versionOf('typescript')]).toEqual([nest, typescript]);
        installed.copy(APP, 'app.ts');
        compile('app.ts', how);
        expect(JSON.parse(installed.run('dist/app.js'))).toEqual({ statuses: [201], most: 1, busy: 423, free: 200 });
      },
      120_000,
    );

    it('can be required by CommonJS', () => {
      installed.write('app.cjs', COMMONJS);
      expect(installed.run('app.cjs')).toBe('ran\n');
    }, 60_000);

    it('has ZooKeeper on offer where its driver is not installed, and tells whoever takes it', () => {
      installed.write('zookeeper.cjs', WITHOUT_ZOOKEEPER);
      expect(installed.run('zookeeper.cjs')).toMatch(
        /^true LOCK_CONFIG zookeeper: its driver is not installed: npm install zookeeper/,
      );
      typeCheck(TYPES_OF_ZOOKEEPER);
    }, 60_000);

    it('exports at run time what was agreed on, and locks on servers, where their clients are installed', async () => {
      const clients = ['ioredis', 'pg', '@types/pg', '@opentelemetry/api'];
      installed.add(`@nestjs/terminus@${terminus}`, ...clients.map((name) => `${name}@${devDependencies[name]}`));
      installed.write('names.mjs', NAMES);
      const names = JSON.parse(installed.run('names.mjs', ...ENTRIES)) as Record<string, string[]>;
      const agreed = namesIn(readFileSync(join(import.meta.dirname, 'public-surface.txt'), 'utf8'));
      const loaded = Object.entries(names).flatMap(([entry, own]) => own.map((name) => `${entry}: value  ${name}`));
      expect(loaded).toEqual(agreed.filter((line) => line.includes(': value  ')));

      installed.write('observed.cjs', COMMONJS_OBSERVED);
      expect(installed.run('observed.cjs')).toBe('up\n');
      typeCheck(TYPES_OF_OBSERVATION);

      const redis = await someRedis();
      try {
        installed.write('redis.cjs', COMMONJS_ON_REDIS);
        expect(installed.run('redis.cjs', redis.url)).toBe('ran\n');
      } finally {
        await redis.stop();
      }
      typeCheck(TYPES_OF_REDIS);

      const postgres = await startPostgres();
      try {
        installed.write('postgres.cjs', COMMONJS_ON_POSTGRES);
        expect(installed.run('postgres.cjs', postgres.url)).toBe('ran\n');
      } finally {
        await postgres.stop();
      }
      typeCheck(TYPES_OF_POSTGRES);
    }, 120_000);

    function typeCheck(text: string): void {
      installed.write('types.ts', text);
      compile('types.ts', { module: 'NodeNext', noEmit: true });
    }

    function compile(file: string, options: object): void {
      const compilerOptions = { ...COMPILER_OPTIONS, ...options };
      installed.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }));
      installed.run(TSC);
    }
  });
});
