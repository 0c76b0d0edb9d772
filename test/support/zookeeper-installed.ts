import { describe } from '@jest/globals';
import { isZooKeeperInstalled } from '../../tools/servers.mjs';

/** Whether tests can start servers of their own. */
export const zooKeeperInstalled = isZooKeeperInstalled();

/** A `describe` for tests that need a server. Where there is none to be had, it says so. */
export const describeOnZooKeeper: (name: string, tests: () => void) => void = zooKeeperInstalled
  ? describe
  : (name, tests) => describe.skip(`${name} (no ZooKeeper to start here)`, tests);
