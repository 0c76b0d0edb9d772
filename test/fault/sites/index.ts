import { type Site } from '../site.js';
import { startEtcdSite } from './etcd.site.js';
import { startPostgresSite } from './postgres.site.js';
import { startRedisFailoverSite } from './redis-failover.site.js';
import { startRedisSite } from './redis.site.js';
import { startZooKeeperSite } from './zookeeper.site.js';

export const SITES = {
  redis: startRedisSite,
  'redis-failover': startRedisFailoverSite,
  zookeeper: startZooKeeperSite,
  postgres: startPostgresSite,
  etcd: startEtcdSite,
} as const satisfies Record<string, () => Promise<Site>>;

export type SiteName = keyof typeof SITES;
