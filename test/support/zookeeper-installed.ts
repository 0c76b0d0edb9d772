import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe } from '@jest/globals';

/** Whether tests can start servers of their own. */
export const zooKeeperInstalled =
  spawnSync('java', ['-version']).status === 0 &&
  existsSync(process.env['ZOOKEEPER_CLASSPATH'] ?? '/usr/share/java/zookeeper.jar');

/** A `describe` for tests that need a server. Where there is none to be had, it says so. */
export const describeOnZooKeeper: (name: string, tests: () => void) => void = zooKeeperInstalled
  ? describe
  : (name, tests) => describe.skip(`${name} (no ZooKeeper to start here)`, tests);
