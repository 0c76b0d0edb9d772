// npm run bench [-- --quick] [--only ROW]: makes ready what is measured, and measures it in a process of its own.
//
// What is measured is dist, built as it is published, and not the source: that is what users get, and the hook that
// compiles the source for tests would put its line numbers and its maps between it and the engine.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = dirname(import.meta.dirname);
const args = process.argv.slice(2);

node(join(root, 'tools/prepare.mjs'));
if (!args.includes('--without-peers')) installPeers();
// Like all of them, it is installed without its install script.
if (!args.includes('--only') || args.some((each) => ['zookeeper', 'backends'].includes(each))) {
  node(join(root, 'tools/servers.mjs'), 'zookeeper-driver');
}
const hooks = ['test/support/typescript.mjs', 'bench/built.mjs'].map((path) => pathToFileURL(join(root, path)).href);
node(
  '--expose-gc',
  '--disable-warning=ExperimentalWarning',
  ...hooks.flatMap((hook) => ['--import', hook]),
  join(import.meta.dirname, 'main.ts'),
  ...args,
);

/** The packages that are compared are no dependencies of ours: a folder of their own, installed the first time. */
function installPeers() {
  const cwd = join(import.meta.dirname, 'peers');
  const digest = createHash('sha256')
    .update(readFileSync(join(cwd, 'package-lock.json')))
    .digest('hex');
  const stamp = join(cwd, 'node_modules/.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  console.error('bench: install the packages that are compared (once, about 30 MB)');
  const command = 'npm ci --ignore-scripts --no-audit --no-fund --loglevel=error';
  const { status } = spawnSync(command, { cwd, shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) {
    console.error('bench: they cannot be installed; with --without-peers only our own are measured, and by hand');
    process.exit(1);
  }
  writeFileSync(stamp, digest);
}

function node(...command) {
  const { status, signal } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 128 + constants.signals[signal]);
}
