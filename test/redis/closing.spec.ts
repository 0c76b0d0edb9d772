import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { type ClusterSetUp, startRedisCluster } from '../support/redis-cluster.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type SentinelSetUp, startRedisSentinel } from '../support/redis-sentinel.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import type { Life } from './closing.process.js';

jest.setTimeout(60_000);

/** The clients that ioredis makes for itself, to ask sentinels and to listen to a Cluster, keep a process alive for 2 s. */
const OF_IOREDIS = 8_000;

describeOnRedis('a process whose manager is closed ends by itself', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  it('when nothing was ever asked', async () => {
    expect(await ended({ until: 'idle', connection: { url: server.url } })).toEqual({ code: 0, left: undefined });
  });

  it('when it was about to connect', async () => {
    expect(await ended({ until: 'asking', connection: { url: server.url } })).toEqual({ code: 0, left: undefined });
  });

  it('when nobody answers at that port', async () => {
    const connection = { url: `redis://127.0.0.1:${await freePort()}` };
    expect(await ended({ until: 'asking', connection })).toEqual({ code: 0, left: undefined });
  });

  it('when it holds a lock and listens', async () => {
    expect(await ended({ until: 'holding', connection: { url: server.url } })).toEqual({ code: 0, left: undefined });
    expect((await server.admin.keys('*')).filter((key) => !key.endsWith('last'))).toEqual([]);
  });

  it('when the server has gone, and it tries to connect again', async () => {
    const own = await startRedisServer();
    try {
      const life: Life = { until: 'holding', connection: { url: own.url } };
      expect(await ended(life, () => own.kill())).toEqual({ code: 0, left: undefined });
    } finally {
      await own.stop();
    }
  });

  it('when the server has fallen silent', async () => {
    const own = await startRedisServer();
    try {
      const life: Life = { until: 'holding', connection: { url: own.url } };
      expect(await ended(life, async () => own.pause())).toEqual({ code: 0, left: undefined });
    } finally {
      await own.stop();
    }
  });

  describe('with Sentinel', () => {
    let setUp: SentinelSetUp;
    beforeAll(async () => {
      setUp = await startRedisSentinel();
    });
    afterAll(() => setUp.stop());

    it.each(['idle', 'asking', 'holding'] as const)('while %s', async (until) => {
      const { name, sentinels } = setUp.options;
      expect(await ended({ until, connection: { options: { name, sentinels } } })).toEqual({
        code: 0,
        left: undefined,
      });
    });

    it('when all of it has gone', async () => {
      const life: Life = { until: 'holding', graceMs: OF_IOREDIS, connection: { options: { ...setUp.options } } };
      const all = [setUp.master, setUp.replica, ...setUp.sentinels];
      const kill = async (): Promise<void> => void (await Promise.all(all.map((each) => each.kill())));
      expect(await ended(life, kill)).toEqual({ code: 0, left: undefined });
    });
  });

  describe('with a Cluster', () => {
    let setUp: ClusterSetUp;
    beforeAll(async () => {
      setUp = await startRedisCluster();
    });
    afterAll(() => setUp.stop());

    it.each(['idle', 'asking', 'holding'] as const)('while %s', async (until) => {
      expect(await ended({ until, connection: { nodes: setUp.startupNodes } })).toEqual({ code: 0, left: undefined });
    });

    it('when all of it has gone', async () => {
      const life: Life = { until: 'holding', graceMs: OF_IOREDIS, connection: { nodes: setUp.startupNodes } };
      const all = setUp.nodes;
      const kill = async (): Promise<void> => void (await Promise.all(all.map((each) => each.kill())));
      expect(await ended(life, kill)).toEqual({ code: 0, left: undefined });
    });
  });
});

/** Its exit code, and what kept it alive for a second too long. */
async function ended(life: Life, whenHolding: () => Promise<void> = async () => undefined) {
  const child = fork(join(import.meta.dirname, 'closing.process.ts'), [JSON.stringify(life)], {
    execArgv: ['--import', join(import.meta.dirname, '../support/typescript.mjs')],
  });
  let left: unknown;
  child.on('message', (message) => {
    if (message !== 'holds') left = message;
    else
      void whenHolding()
        .then(() => sleep(300))
        .then(() => child.send('close'));
  });
  const hung = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(hung);
  return { code, left };
}
