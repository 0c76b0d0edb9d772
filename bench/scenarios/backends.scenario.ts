import { type Contender } from '../contenders/contender.js';
import {
  oursInMemory,
  oursInSharedMemory,
  oursOnEtcd,
  oursOnPostgres,
  oursOnRedis,
  oursOnZooKeeper,
} from '../contenders/ours.js';
import { freeKeys } from '../measure/free-keys.js';
import { estimate, median, spread } from '../measure/statistics.js';
import { estimated, figure, figureOf } from '../report/figures.js';
import { type Scenario } from './scenario.js';

const CALLERS = 64;

export const backends: Scenario = {
  name: 'backends',
  title: 'nestjs-locked on every backend',
  async measure({ stage, effort, say }) {
    const places: readonly (readonly [string, Contender, () => Promise<string>])[] = [
      ['memory', oursInMemory, async () => ''],
      ['shared memory', oursInSharedMemory, async () => ''],
      ['Redis', oursOnRedis, async () => (await stage.redis()).url],
      ['PostgreSQL', oursOnPostgres, async () => (await stage.postgres()).url],
      ['ZooKeeper', oursOnZooKeeper, async () => (await stage.zooKeeper()).connect],
      ['etcd', oursOnEtcd, async () => (await stage.etcd()).url],
    ];
    const results = [];
    for (const [place, contender, address] of places) {
      say(place);
      const server = { url: await address() };
      const common = { stage, contenders: [contender], server, effort, forMs: effort.forMs / 2 / places.length };
      const [alone] = await freeKeys({ ...common, callers: 1 });
      const [crowd] = await freeKeys({ ...common, callers: CALLERS });
      results.push({ place, alone: alone!, crowd: crowd! });
    }
    return {
      verdicts: [],
      tables: [
        {
          title: backends.title,
          head: [
            '',
            'one caller, µs for one: median (p10–p90)',
            'median (lowest–highest repetition)',
            'CPU of the client, µs',
            `pairs/s, ${CALLERS} callers, ${CALLERS} keys`,
          ],
          rows: results.map(({ place, alone, crowd }) => [
            place,
            figureOf(spread(alone.micros.flat())),
            estimated(estimate(alone.micros)),
            figure(alone.meanCpuMicros),
            figure(1e6 / median(crowd.micros.map(median))),
          ]),
          note:
            'A free lock, acquired and released. PostgreSQL runs with `fsync = off`, etcd and ZooKeeper write to disk before they answer, ' +
            'Redis keeps nothing: this is how the tests run them, so compare each with its own floor rather than with each other.',
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'backends',
          title: 'nestjs-locked: a free lock, acquired and released',
          unit: 'µs',
          bars: results.map(({ place, alone }) => ({
            name: place,
            kind: 'ours' as const,
            ...spread(alone.micros.flat()),
          })),
        },
      ],
    };
  },
};
