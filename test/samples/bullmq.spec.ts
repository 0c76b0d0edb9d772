import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { SampleProcess } from './sample-process.js';

const CUSTOMERS = ['ann', 'ben', 'cid'];
const EACH = 12;

describeOnRedis('sample 06-bullmq, as two workers of four jobs at a time', () => {
  const workers: SampleProcess[] = [];
  let redis: RedisServer;
  let queue: Queue;

  beforeAll(async () => {
    redis = await startRedisServer();
    queue = new Queue('invoices', { connection: { url: redis.url } });
    const started = ['one', 'other'].map(() => SampleProcess.start('06-bullmq', { REDIS_URL: redis.url }));
    workers.push(...(await Promise.all(started)));
  });
  afterAll(async () => {
    for (const worker of workers) await worker.stop();
    await queue?.close();
    await redis?.stop();
  });

  it('numbers the invoices of each customer without a gap, and fails no job for a lock that is taken', async () => {
    const orders = Array.from({ length: EACH * CUSTOMERS.length }, (_, n) => CUSTOMERS[n % CUSTOMERS.length]!);
    await queue.addBulk(orders.map((customer) => ({ name: 'invoice', data: { customer } })));
    await until('all jobs have ended', async () => {
      const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
      return completed + failed === orders.length;
    });

    expect(await queue.getFailedCount()).toBe(0);
    const jobs = await queue.getCompleted();
    for (const customer of CUSTOMERS) {
      const numbers = jobs.filter(({ data }) => data.customer === customer).map(({ returnvalue }) => returnvalue);
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: EACH }, (_, n) => n + 1));
    }
  });
});
