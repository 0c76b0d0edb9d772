import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { RedisBackend, type RedisConnection } from '../../lib/redis/index.js';
import { describeBackendConformance } from '../../lib/testing/index.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { type RedisSentinel, startRedisSentinel } from '../support/redis-sentinel.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

jest.setTimeout(60_000);

interface Started {
  readonly connection: () => RedisConnection;
  readonly masters: () => readonly Redis[];
  readonly stop: () => Promise<unknown>;
}

conformance('one server', async () => {
  const server = await startRedisServer();
  return { connection: () => ({ url: server.url }), masters: () => [server.admin], stop: () => server.stop() };
});

conformance('one server, by a borrowed client of ioredis 5', async () => {
  const server: RedisServer = await startRedisServer();
  const client = new Redis5(server.url) as unknown as Redis;
  const stop = async (): Promise<void> => {
    client.disconnect();
    await server.stop();
  };
  return { connection: () => ({ client }), masters: () => [server.admin], stop };
});

conformance('Sentinel', async () => {
  const sentinel: RedisSentinel = await startRedisSentinel();
  return {
    connection: () => ({ options: sentinel.options }),
    masters: () => [sentinel.master.admin],
    stop: () => sentinel.stop(),
  };
});

conformance('Cluster', async () => {
  const cluster: RedisCluster = await startRedisCluster();
  const client = new Cluster([...cluster.startupNodes]);
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
      leaseMs: 300,
    });
  });
}
