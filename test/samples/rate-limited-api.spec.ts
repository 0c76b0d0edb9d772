import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { LockManager } from '../../lib/core/index.js';
import { RedisBackend } from '../../lib/redis/index.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { HeldServer } from './held-server.js';
import { type Answer, send } from './http.js';
import { SampleProcess } from './sample-process.js';

const LIMIT = 3;

describeOnRedis('sample 07-rate-limited-api, as two replicas', () => {
  const replicas: SampleProcess[] = [];
  let redis: RedisServer;
  let partner: HeldServer;
  let locks: LockManager;

  beforeAll(async () => {
    redis = await startRedisServer();
    partner = await HeldServer.start();
    locks = new LockManager({ backend: new RedisBackend({ url: redis.url }) });
    const env = { REDIS_URL: redis.url, PARTNER_URL: partner.url };
    const started = ['one', 'other'].map(() => SampleProcess.start('07-rate-limited-api', env));
    replicas.push(...(await Promise.all(started)));
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    await locks?.close();
    await partner?.stop();
    await redis?.stop();
  });

  it('asks the partner for three things at a time, whichever replica is asked, and answers everybody', async () => {
    const asking = Array.from({ length: 12 }, (_, n) => ask(n));
    await until('three are with the partner, and others stand in line', async () => {
      const { waiters } = await locks.inspect('partner');
      return partner.asked === LIMIT && waiters.length >= replicas.length;
    });
    for (const price of asking.keys()) await partner.answer(String(price));

    const answers = await Promise.all(asking);
    expect(answers.map(({ status }) => status)).toEqual(asking.map(() => 200));
    expect(partner.most).toBe(LIMIT);
  });

  it('answers 423 to who has waited in vain, and says when to come again', async () => {
    const asking = Array.from({ length: LIMIT }, (_, n) => ask(n));
    await until('three are with the partner', () => partner.asked === LIMIT);
    const { status, headers } = await ask(LIMIT);
    expect(status).toBe(423);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(5);
    expect(partner.asked).toBe(LIMIT);

    for (const _ of asking) await partner.answer('1');
    expect((await Promise.all(asking)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  function ask(n: number): Promise<Answer> {
    return send('GET', `${replicas[n % replicas.length]!.url}/quotes/${n}`);
  }
});
