import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';
import { HeldServer } from './held-server.js';
import { type Answer, send } from './http.js';
import { SampleProcess } from './sample-process.js';

describe('sample 03-payments-with-fencing, as two replicas', () => {
  const replicas: SampleProcess[] = [];
  let postgres: PostgresServer;
  let riskCheck: HeldServer;

  beforeAll(async () => {
    postgres = await startPostgres();
    riskCheck = await HeldServer.start();
    const env = { DATABASE_URL: postgres.url, RISK_CHECK_URL: riskCheck.url };
    const started = ['one', 'other'].map(() => SampleProcess.start('03-payments-with-fencing', env));
    replicas.push(...(await Promise.all(started)));
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    await riskCheck?.stop();
    await postgres?.stop();
  });

  it('loses no payment of several at once', async () => {
    await open('ann', 100);
    const paying = Array.from({ length: 8 }, (_, n) => pay(n % 2, 'ann', 10));
    for (const _ of paying) await riskCheck.answer('approved');
    expect((await Promise.all(paying)).map(({ body }) => body)).toEqual(
      expect.arrayContaining([90, 80, 70, 60, 50, 40, 30, 20].map((left) => ({ left }))),
    );
    expect(riskCheck.most).toBe(1);
  });

  it('has PostgreSQL refuse a payment whose process stood still, once another one went through', async () => {
    await open('ben', 100);
    const late = await payLate('ben', { amount: 10, meanwhile: 20 });
    expect(late).toMatchObject({ status: 409, body: { message: expect.stringContaining('Nothing was paid') } });
    expect(await balanceOf('ben')).toBe(80);
  });

  it('would lose that other payment, if the row did not remember the token', async () => {
    await open('cid', 100);
    const forget = (): Promise<unknown> => postgres.admin.query("UPDATE account SET fence = 0 WHERE id = 'cid'");
    const late = await payLate('cid', { amount: 10, meanwhile: 20, before: forget });
    // The lock is known to be lost then, but what is written is written.
    expect(late.status).toBe(500);
    expect(await balanceOf('cid')).toBe(90);
  });

  /** One replica stops in the middle of a payment, another makes one meanwhile, and the first goes on. */
  async function payLate(
    account: string,
    payment: { amount: number; meanwhile: number; before?: () => Promise<unknown> },
  ): Promise<Answer> {
    const late = pay(0, account, payment.amount);
    await until('the payment is looked at', () => riskCheck.asked === 1);
    replicas[0]!.pause();
    try {
      await riskCheck.answer('approved');
      const meanwhile = pay(1, account, payment.meanwhile);
      await riskCheck.answer('approved');
      expect(await meanwhile).toMatchObject({ status: 201, body: { left: 100 - payment.meanwhile } });
      await payment.before?.();
    } finally {
      replicas[0]!.resume();
    }
    return late;
  }

  function open(account: string, balance: number): Promise<Answer> {
    return send('PUT', `${replicas[0]!.url}/accounts/${account}`, { balance });
  }

  function pay(replica: number, account: string, amount: number): Promise<Answer> {
    return send('POST', `${replicas[replica]!.url}/accounts/${account}/payments`, { amount });
  }

  async function balanceOf(account: string): Promise<number> {
    const { body } = await send('GET', `${replicas[1]!.url}/accounts/${account}`);
    return (body as { balance: number }).balance;
  }
});
