// Makes sure that the tests find the servers that they start, each for itself: what runs here already is left alone.
// Arguments: which ones; all by default.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package of each, and where it puts the program. */
const SERVERS = {
  postgres: { package: 'postgresql', program: postgres },
  etcd: { package: 'etcd-server', program: () => inPath('etcd') },
  pgbouncer: { package: 'pgbouncer', program: () => inPath('pgbouncer') },
};

if (process.argv[1] === import.meta.filename) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SERVERS);
  const problems = names.map((name) => problemWith(name)).filter((problem) => problem !== undefined);
  for (const problem of problems) console.error(`servers: ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

/** The path of a server's program, which is installed if need be and can be. @throws with a sentence that says what to install. */
export function programOf(name) {
  const problem = problemWith(name);
  if (problem !== undefined) throw new Error(problem);
  return SERVERS[name].program();
}

function problemWith(name) {
  const server = SERVERS[name];
  if (server === undefined) return `nobody knows ${name}: there are ${Object.keys(SERVERS).join(', ')}`;
  if (server.program() !== undefined || (install(server.package) && server.program() !== undefined)) return undefined;
  return `the tests start ${name}, which is not installed: install it (Debian: apt-get install ${server.package})`;
}

function install(name) {
  if (process.getuid?.() !== 0 || inPath('apt-get') === undefined) return false;
  console.error(`servers: install ${name}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Two tests may find out at once.
  const patient = ['-o', 'DPkg::Lock::Timeout=300', '-q'];
  const aptGet = (...args) => spawnSync('apt-get', [...patient, ...args], { env, stdio: 'ignore' }).status === 0;
  aptGet('update');
  return aptGet('install', '--yes', '--no-install-recommends', name);
}

/** Debian keeps several versions side by side, and out of PATH. */
function postgres() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).filter((version) => /^\d+$/.test(version)) : [];
  const latest = versions.toSorted((a, b) => b - a).map((version) => join(root, version, 'bin/postgres'));
  return latest.find((path) => existsSync(path)) ?? inPath('postgres');
}

function inPath(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
