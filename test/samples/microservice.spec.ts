import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ClientProxy, ClientProxyFactory, Transport } from '@nestjs/microservices';
import { lastValueFrom, timeout } from 'rxjs';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { SampleProcess } from './sample-process.js';

describeOnRedis('sample 05-microservice, as two replicas', () => {
  const replicas: SampleProcess[] = [];
  const clients: ClientProxy[] = [];
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedisServer();
    const started = ['one', 'other'].map(() => SampleProcess.start('05-microservice', { REDIS_URL: redis.url }));
    replicas.push(...(await Promise.all(started)));
    for (const { url } of replicas) {
      const { hostname: host, port } = new URL(url);
      clients.push(ClientProxyFactory.create({ transport: Transport.TCP, options: { host, port: Number(port) } }));
    }
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    for (const replica of replicas) await replica.stop();
    await redis?.stop();
  });

  it('loses no delivery, and sells no piece twice, whichever replica is told', async () => {
    for (let n = 0; n < 20; n += 1) clients[n % 2]!.emit('delivered', { item: 'chair', pieces: 1 });
    await until('all are delivered', async () => (await ask<number>(0, 'count', 'chair')) === 20);

    const reserving = Array.from({ length: 30 }, (_, n) => ask<boolean>(n, 'reserve', { item: 'chair', pieces: 1 }));
    const reserved = await Promise.all(reserving);
    expect(reserved.filter(Boolean)).toHaveLength(20);
    expect(await ask(1, 'count', 'chair')).toBe(0);
  });

  function ask<T>(n: number, pattern: string, data: unknown): Promise<T> {
    return lastValueFrom(clients[n % 2]!.send<T>(pattern, data).pipe(timeout(30_000)));
  }
});
