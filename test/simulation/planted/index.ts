import { casBugs } from './cas.bugs.js';
import { coreBugs } from './core.bugs.js';
import { harnessBugs } from './harness.bugs.js';
import { memoryBugs } from './memory.bugs.js';
import { redisBugs } from './redis.bugs.js';
import { zooKeeperBugs } from './zookeeper.bugs.js';
import { type PlantedBug } from './planted-bug.js';

export const plantedBugs: readonly PlantedBug[] = [
  ...coreBugs,
  ...memoryBugs,
  ...casBugs,
  ...redisBugs,
  ...zooKeeperBugs,
  ...harnessBugs,
];
