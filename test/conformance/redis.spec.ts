import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { RedisBackend, type RedisConnection } from '../../lib/redis/index.js';
import { describeBackendConformance } from '../../lib/conformance/index.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startRedisSentinel } from '../support/redis-sentinel.js';
import { startRedisServer } from '../support/redis-server.js';

jest.setTimeout(60_000);

interface Started {
  readonly connection: () => RedisConnection;
  readonly masters: () => readonly Redis[];
  readonly stop: () => Promise<unknown>;
}

conformance('one server, with the least rights', async () => {
  const server = await startRedisServer();
  await server.admin.call('ACL', ...leastRights());
  const url = `redis://locks:password@127.0.0.1:${server.port}`;
  return { connection: () => ({ url }), masters: () => [server.admin], stop: () => server.stop() };
});

conformance('one server, by a borrowed client of ioredis 5', async () => {
  const server = await startRedisServer();
  const client = new Redis5(server.url) as unknown as Redis;
  const stop = async (): Promise<void> => {
    client.disconnect();
    await server.stop();
  };
  return { connection: () => ({ client }), masters: () => [server.admin], stop };
});

conformance('Sentinel', async () => {
  const sentinel = await startRedisSentinel();
  return {
    connection: () => ({ options: sentinel.options }),
    masters: () => [sentinel.master.admin],
    stop: () => sentinel.stop(),
  };
});

conformance('Cluster, with the least rights', async () => {
  const cluster = await startRedisCluster();
  await Promise.all(cluster.nodes.map(({ admin }) => admin.call('ACL', ...leastRights(), ...moreForCluster())));
  const redisOptions = { username: 'locks', password: 'password' };
  const client = new Cluster([...cluster.startupNodes], { redisOptions });
  const stop = async (): Promise<void> => {
    client.disconnect();
    await cluster.stop();
  };
  return { connection: () => ({ client }), masters: () => cluster.nodes.map(({ admin }) => admin), stop };
});

function conformance(name: string, start: () => Promise<Started>): void {
  describe(`redis, ${name}`, () => {
    let started: Started;
    beforeAll(async () => {
      started = await start();
    });
    afterAll(() => started.stop());

    describeBackendConformance({
      name: `redis, ${name}`,
      connect: () => new RedisBackend({ ...started.connection(), onWarning: () => undefined }),
      residue: async () => {
        const keys = await Promise.all(started.masters().map((master) => master.keys('*')));
        return keys.flat().filter((key) => !key.endsWith('}:last')).length;
      },
      leaseMs: 600,
    });
  });
}

/** The rule as users read it: `ACL SETUSER …`, over several lines. */
function leastRights(): string[] {
  return words(/^ACL (SETUSER locks on >password [^`]+)```$/m);
}

function moreForCluster(): string[] {
  return words(/a Cluster\s+`([^`]+)`/);
}

function words(pattern: RegExp): string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/backends/redis.md'), 'utf8');
  return pattern.exec(page)![1]!.trim().split(/\s+/);
}
