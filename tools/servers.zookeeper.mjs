// Makes sure that the tests find the ZooKeeper that they start, and the driver: what runs here already is left alone.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

if (process.argv[1] === import.meta.filename) process.exitCode = ensureZooKeeper() ? 0 : 1;

/** Whether there is a ZooKeeper to start, and its driver is built: the packages are installed without their scripts. */
export function ensureZooKeeper() {
  const classPath = process.env.ZOOKEEPER_CLASSPATH ?? '/usr/share/java/zookeeper.jar';
  const there = () => runs('java', '-version') && existsSync(classPath.split(':')[0]);
  if (!there() && process.getuid?.() === 0 && runs('apt-get', '--version')) {
    console.error('servers: install zookeeper');
    installed('zookeeper', 'default-jre-headless');
  }
  if (!there()) {
    console.error(
      'servers: the tests start ZooKeeper, and there is none at ' +
        `${classPath}: install it (Debian: apt-get install zookeeper), or set ZOOKEEPER_CLASSPATH`,
    );
    return false;
  }
  return builtDriver();
}

function builtDriver() {
  const root = dirname(import.meta.dirname);
  const loads = () =>
    spawnSync(process.execPath, ['-e', "require('zookeeper')"], { cwd: root, stdio: 'ignore' }).status === 0;
  if (loads()) return true;
  console.error('servers: build the driver of ZooKeeper');
  spawnSync('npm rebuild zookeeper --foreground-scripts --loglevel=error', {
    cwd: root,
    shell: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (loads()) return true;
  console.error('servers: the driver of ZooKeeper cannot be built: it needs python3, make and g++');
  return false;
}

function installed(...names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return aptGet('update') && aptGet('install', '--yes', '--no-install-recommends', ...names);
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
