// Makes sure that the tests find the servers that they start, each for itself: what runs here already is left alone.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

if (process.argv[1] === import.meta.filename) {
  const all =
    ensureRedis() && ensureCompiler() && ensureServer('postgres') && ensureServer('etcd') && ensureServer('pgbouncer');
  process.exitCode = all ? 0 : 1;
}

/** Whether there is a Redis to test with: one to start, or at least the one at REDIS_URL. */
export function ensureRedis() {
  if (found(() => runs('redis-server', '--version'), 'redis-server')) return true;
  if (process.env.REDIS_URL) {
    console.error('servers: no redis-server here: what takes more than the server at REDIS_URL is not run');
    return true;
  }
  console.error(
    'servers: the tests start redis-server, and there is none in PATH: install it (Debian: apt-get install redis-server)' +
      ', or set REDIS_URL to a server that part of the tests may use',
  );
  return false;
}

/** Whether there is a C compiler: some tests set the clock of a process, with a few lines of C. */
export function ensureCompiler() {
  const source = join(import.meta.dirname, '../test/support/movable-clock.c');
  if (found(() => runs('cc', '-fsyntax-only', source), 'gcc', 'libc6-dev')) return true;
  console.error('servers: some tests compile C, and cc does not: install it (Debian: apt-get install gcc libc6-dev)');
  return false;
}

/** Whether there is one of the servers that have no substitute. */
export function ensureServer(name) {
  const { package: debian } = servers()[name];
  if (found(() => pathOf(name) !== undefined, debian)) return true;
  console.error(`servers: the tests start ${name}, which is not here: install it (Debian: apt-get install ${debian})`);
  return false;
}

/** Where the program of one of them is. @throws if it is nowhere. */
export function programOf(name) {
  const path = pathOf(name);
  if (path === undefined) throw new Error(`there is no ${name} here: node tools/servers.mjs installs it, or says how`);
  return path;
}

/** Debian's package of each, and the folders that it puts its program in besides those of PATH. */
function servers() {
  return {
    postgres: { package: 'postgresql', folders: postgresFolders() },
    etcd: { package: 'etcd-server', folders: [] },
    pgbouncer: { package: 'pgbouncer', folders: ['/usr/sbin'] },
  };
}

function pathOf(name) {
  const folders = [...servers()[name].folders, ...(process.env.PATH ?? '').split(':')];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Debian keeps several versions side by side. The newest first. */
function postgresFolders() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).filter((version) => /^\d+$/.test(version)) : [];
  return versions.toSorted((a, b) => b - a).map((version) => join(root, version, 'bin'));
}

/** Whether something is there, or else is after the packages have been installed, where that can be done. */
function found(isThere, ...packages) {
  if (isThere()) return true;
  if (process.getuid?.() !== 0 || !runs('apt-get', '--version')) return false;
  console.error(`servers: install ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return aptGet('update') && aptGet('install', '--yes', '--no-install-recommends', ...packages) && isThere();
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
