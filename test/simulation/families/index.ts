import { casFamily } from './cas.family.js';
import { type Family } from './family.js';
import { memoryFamily } from './memory.family.js';
import { redisFamily } from './redis.family.js';
import { zooKeeperFamily } from './zookeeper.family.js';

/** As they are, with nothing wrong. */
export const families: readonly Family[] = [memoryFamily(), casFamily(), redisFamily(), zooKeeperFamily()];
