import { oursOnZooKeeper } from '../contenders/ours.js';
import { zooKeeperByHand, zooKeeperByHandRelayed } from '../contenders/zookeeper.js';
import { type FreeKeys, freeKeys } from '../measure/free-keys.js';
import { estimate, spread } from '../measure/statistics.js';
import { estimated, figure, figureOf } from '../report/figures.js';
import { type Scenario } from './scenario.js';

const WANTED_RATE = 0.9;

export const zooKeeper: Scenario = {
  name: 'zookeeper',
  title: 'One caller, a free lock, ZooKeeper',
  async measure({ stage, effort }) {
    const { connect } = await stage.zooKeeper();
    const contenders = [oursOnZooKeeper, zooKeeperByHand, zooKeeperByHandRelayed].filter((each) => each !== undefined);
    const results = await freeKeys({
      stage,
      contenders,
      server: { url: connect },
      callers: 1,
      effort,
      forMs: effort.forMs,
    });
    const [ours, floor] = results as readonly [FreeKeys, FreeKeys];
    const rate = estimate(ours.rateOf(floor));
    return {
      verdicts: [
        {
          row: 10,
          what: 'ZooKeeper, one caller, free lock: rate, of by hand, pipelined',
          wanted: `≥ ${WANTED_RATE.toFixed(2)}`,
          measured: estimated(rate),
          holds: rate.value >= WANTED_RATE,
        },
      ],
      tables: [
        {
          title: zooKeeper.title,
          head: ['', 'µs for one: median (p10–p90)', 'rate, of by hand', 'CPU of the client, µs'],
          rows: results.map((result) => [
            result.contender.name,
            figureOf(spread(result.micros.flat())),
            estimated(estimate(result.rateOf(floor))),
            figure(result.meanCpuMicros),
          ]),
          note:
            'By hand: an ephemeral sequential node is made and its siblings are read in one flight, then it is deleted, on the ' +
            'driver that ours is on. One server, which writes its log to disk before it answers.',
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'zookeeper',
          title: 'A free lock, acquired and released (ZooKeeper)',
          unit: 'µs',
          bars: results.map(({ contender, micros }) => ({ ...contender, ...spread(micros.flat()) })),
        },
      ],
    };
  },
};
