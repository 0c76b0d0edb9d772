import { byHand, byHandFenced } from '../contenders/by-hand.js';
import { oursOnRedis, oursRetaining } from '../contenders/ours.js';
import { leanUniversal, redisPeers } from '../contenders/redis-peers.js';
import { type FreeKeys, freeKeys } from '../measure/free-keys.js';
import { estimate, spread } from '../measure/statistics.js';
import { estimated, figure, figureOf } from '../report/figures.js';
import { present, type Scenario } from './scenario.js';

const WANTED_RATE = 0.9;

export const oneCaller: Scenario = {
  name: 'one-caller',
  title: 'One caller, a free lock, Redis',
  async measure(circumstances) {
    const { stage, effort } = circumstances;
    const contenders = present(
      [oursOnRedis, byHandFenced, oursRetaining, byHand, ...redisPeers, leanUniversal],
      circumstances,
    );
    const results = await freeKeys({
      stage,
      contenders,
      server: await stage.redis(),
      callers: 1,
      effort,
      forMs: effort.forMs,
    });
    const [ours, floor] = results as readonly [FreeKeys, FreeKeys];
    const rate = estimate(ours.rateOf(floor));
    const bars = results.map(({ contender, micros }) => ({ ...contender, ...spread(micros.flat()) }));
    return {
      verdicts: [
        {
          row: 1,
          what: 'One caller, free lock, with a fencing token: rate, of by hand with a fence',
          wanted: `≥ ${WANTED_RATE.toFixed(2)}`,
          measured: estimated(rate),
          holds: rate.value >= WANTED_RATE,
        },
      ],
      tables: [
        {
          title: oneCaller.title,
          head: [
            '',
            'µs for one: median (p10–p90)',
            'rate, of by hand with a fence',
            'commands',
            'CPU of the client, µs',
          ],
          rows: results.map((result) => [
            result.contender.name,
            figureOf(spread(result.micros.flat())),
            estimated(estimate(result.rateOf(floor))),
            figure(result.commands),
            figure(result.meanCpuMicros),
          ]),
          note:
            'Acquire, nothing inside, release. With `retainMs: 1000` the process asks for one claim in 17: nobody else wants the key. ' +
            'Only nestjs-locked and the second row give a fencing token; nestjs-locked and redis-semaphore also start to renew. What ' +
            'could be tuned is how long one waits between two tries, and nobody waits here. murlock is on node-redis, ioredis-lock on ' +
            'ioredis 4. The redlocks are made for several servers: here they have one, like all.',
        },
      ],
      charts: [
        { kind: 'bars', name: 'latency', title: 'A free lock, acquired and released (Redis)', unit: 'µs', bars },
      ],
    };
  },
};
