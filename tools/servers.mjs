// Makes sure that the tests find the servers that they start, each for itself, and what they are built and reached with:
// what is here already is left alone.
//
//   node tools/servers.mjs [zookeeper-driver]
//
// With the argument: only the driver of ZooKeeper, which `npm ci --ignore-scripts` leaves unbuilt.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What Debian's package has, and a logger, or else it never says why it ends; elsewhere, the class path of a ZooKeeper. */
export const zooKeeperClassPath =
  process.env.ZOOKEEPER_CLASSPATH ?? '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar';

if (process.argv[1] === import.meta.filename) {
  const names = ['postgres', 'etcd', 'pgbouncer', 'chromium'];
  const everything = () =>
    ensureRedis() && ensureCompiler() && ensureSpin() && ensureZooKeeper() && names.every(ensureServer);
  process.exitCode = (process.argv[2] === 'zookeeper-driver' ? ensureZooKeeperDriver() : everything()) ? 0 : 1;
}

/** Whether there is a Redis to test with: one to start, or at least the one at REDIS_URL. */
export function ensureRedis() {
  if (ensured(() => runs('redis-server', '--version'), 'redis-server')) return true;
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
  const compiles = () => runs('cc', '-fsyntax-only', join(import.meta.dirname, '../test/support/movable-clock.c'));
  if (ensured(compiles, 'gcc', 'libc6-dev')) return true;
  console.error('servers: some tests compile C, and cc does not: install it (Debian: apt-get install gcc libc6-dev)');
  return false;
}

/** Whether the models can be checked. */
export function ensureSpin() {
  if (ensured(() => runs('spin', '-V'), 'spin')) return true;
  console.error(
    'servers: the models are checked by SPIN, which is not here: install it (Debian: apt-get install spin)',
  );
  return false;
}

/** Whether there is one of the servers that have no substitute. */
export function ensureServer(name) {
  const { package: debian } = servers()[name];
  if (ensured(() => pathOf(name) !== undefined, debian)) return true;
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
    // No server, but whoever looks at the page of the dashboard.
    chromium: { package: 'chromium', folders: [] },
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

/** Whether there is a ZooKeeper to start. */
export function isZooKeeperInstalled() {
  return runs('java', '-version') && existsSync(zooKeeperClassPath.split(':')[0]);
}

/** Whether there is a ZooKeeper to start, and its driver is built. */
export function ensureZooKeeper() {
  if (ensured(isZooKeeperInstalled, 'libzookeeper-java', 'default-jre-headless')) return ensureZooKeeperDriver();
  console.error(
    `servers: the tests start ZooKeeper, and there is no java in PATH or nothing at ${zooKeeperClassPath}: install them ` +
      '(Debian: apt-get install libzookeeper-java default-jre-headless), or set ZOOKEEPER_CLASSPATH',
  );
  return false;
}

/** Whether its driver is built for this Node: dependencies are installed without their scripts. */
export function ensureZooKeeperDriver() {
  const cwd = dirname(import.meta.dirname);
  const loads = () =>
    spawnSync(process.execPath, ['-e', "require('zookeeper')"], { cwd, stdio: 'ignore' }).status === 0;
  if (loads()) return true;
  const tools = () => ['python3', 'make', 'g++'].every((command) => runs(command, '--version'));
  if (ensured(tools, 'python3', 'make', 'g++')) {
    console.error('servers: build the driver of ZooKeeper');
    const command = 'npm rebuild zookeeper --foreground-scripts --loglevel=error';
    const { stdout, stderr } = spawnSync(command, {
      cwd,
      shell: true,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (loads()) return true;
    process.stderr.write(`${stdout}${stderr}`);
  }
  console.error(
    'servers: the driver of ZooKeeper cannot be built: it needs python3, make and g++ (Debian: apt-get install python3 make g++)',
  );
  return false;
}

/** Whether something is here, if need be because its packages were installed now. */
function ensured(there, ...packages) {
  if (there()) return true;
  if (process.getuid?.() !== 0 || !runs('apt-get', '--version')) return false;
  console.error(`servers: install ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return aptGet('update') && aptGet('install', '--yes', '--no-install-recommends', ...packages) && there();
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
