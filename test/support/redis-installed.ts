import { spawnSync } from 'node:child_process';
import { describe } from '@jest/globals';
import { Redis } from 'ioredis';
import { startRedisServer } from './redis-server.js';

/** Whether tests can start servers of their own. */
export const redisInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** A `describe` for tests that do to a server what one does only to one's own. Where there is none to be had, it says so. */
export const describeOnRedis: (name: string, tests: () => void) => void = redisInstalled
  ? describe
  : (name, tests) => describe.skip(`${name} (no redis-server to start here)`, tests);

export interface SomeRedis {
  readonly url: string;
  readonly admin: Redis;
  stop(): Promise<void>;
}

/** A server of one's own, or else the one at REDIS_URL: then there may be others, and other keys than one's own. */
export async function someRedis(): Promise<SomeRedis> {
  const url = process.env['REDIS_URL'];
  if (redisInstalled || url === undefined) return startRedisServer();
  const admin = new Redis(url);
  return { url, admin, stop: async () => admin.disconnect() };
}
