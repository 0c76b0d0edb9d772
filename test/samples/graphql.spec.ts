import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { send } from './http.js';
import { SampleProcess } from './sample-process.js';

describe('sample 04-graphql', () => {
  let sample: SampleProcess;

  beforeAll(async () => {
    sample = await SampleProcess.start('04-graphql');
  });
  afterAll(() => sample?.stop());

  it('counts every one of twenty bids at once', async () => {
    const bid = 'mutation { bid(id: "vase", more: 5) { price } }';
    const prices = await Promise.all(Array.from({ length: 20 }, () => ask(bid)));
    const expected = Array.from({ length: 20 }, (_, n) => ({ bid: { price: 105 + 5 * n } }));
    expect(prices).toEqual(expect.arrayContaining(expected));
    expect(await ask('{ auction(id: "vase") { price bids } }')).toEqual({ auction: { price: 200, bids: 20 } });
  });

  it('asks for an estimate once, however many want it at the same time', async () => {
    const estimate = '{ auction(id: "vase") { estimate } }';
    const estimates = await Promise.all(Array.from({ length: 10 }, () => ask(estimate)));
    expect(estimates).toEqual(estimates.map(() => ({ auction: { estimate: 400 } })));
    expect(await ask('{ questionsToExpert }')).toEqual({ questionsToExpert: 1 });
  });

  async function ask(query: string): Promise<unknown> {
    const { body } = await send('POST', sample.url, { query });
    const { data, errors } = body as { data: unknown; errors?: unknown };
    expect(errors).toBeUndefined();
    return data;
  }
});
