// Makes sure that the tests find the servers that they start, each for itself: what runs here already is left alone.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

if (process.argv[1] === import.meta.filename) process.exitCode = ensureRedis() && ensureCompiler() ? 0 : 1;

/** Whether there is a Redis to test with: one to start, or at least the one at REDIS_URL. */
export function ensureRedis() {
  if (runs('redis-server', '--version')) return true;
  if (process.getuid?.() === 0 && runs('apt-get', '--version')) {
    console.error('servers: install redis-server');
    if (installed('redis-server') && runs('redis-server', '--version')) return true;
  }
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
  if (compiles()) return true;
  if (process.getuid?.() === 0 && runs('apt-get', '--version')) {
    console.error('servers: install gcc, libc6-dev');
    if (installed('gcc', 'libc6-dev') && compiles()) return true;
  }
  console.error('servers: some tests compile C, and cc does not: install it (Debian: apt-get install gcc libc6-dev)');
  return false;
}

function compiles() {
  return runs('cc', '-fsyntax-only', join(import.meta.dirname, '../test/support/movable-clock.c'));
}

function installed(...names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return aptGet('update') && aptGet('install', '--yes', '--no-install-recommends', ...names);
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
