import { byHand, byHandPipelined } from '../contenders/by-hand.js';
import { type Contender } from '../contenders/contender.js';
import { oursOnRedis, oursRetaining } from '../contenders/ours.js';
import { redisPeers, tunedRedisPeers } from '../contenders/redis-peers.js';
import { type FreeKeys, freeKeys } from '../measure/free-keys.js';
import { estimate, median } from '../measure/statistics.js';
import { estimated, figure } from '../report/figures.js';
import { polling } from './polling.js';
import { present, type Scenario, type Verdict } from './scenario.js';

/** Nothing about murlock can be tuned that matters where nobody waits. */
const isMore = ({ name }: Contender): boolean => !name.startsWith('murlock');

const WANTED_RATE = 1.5;
/** Which numbers of callers a figure is wanted for, and where. */
const ROWS: Readonly<Record<number, number>> = { 64: 2, 512: 3 };
const WITH_A_ROW = Object.keys(ROWS).map(Number);

export const manyKeys: Scenario = {
  name: 'many-keys',
  title: 'Many callers of one process, each with a free key, Redis',
  async measure(circumstances) {
    const { stage, effort, say } = circumstances;
    const others = [...redisPeers, ...tunedRedisPeers.filter(isMore)];
    const contenders = present(
      [
        oursOnRedis,
        byHand,
        oursRetaining,
        byHandPipelined,
        ...(effort.name === 'full' ? others : polling(others, effort)),
      ],
      circumstances,
    );
    const server = await stage.redis();
    const sizes = effort.name === 'full' ? [1, 8, ...WITH_A_ROW] : WITH_A_ROW;
    const byCallers = new Map<number, readonly FreeKeys[]>();
    for (const callers of sizes) {
      say(`${callers} callers`);
      const forMs = effort.forMs / (callers in ROWS ? 1.5 : 6);
      byCallers.set(callers, await freeKeys({ stage, contenders, server, callers, effort, forMs }));
    }
    const rate = (callers: number, index: number) => {
      const results = byCallers.get(callers)!;
      return estimate(results[index]!.rateOf(results[1]!));
    };
    const perSecond = (callers: number, index: number): number =>
      1e6 / median(byCallers.get(callers)![index]!.micros.map(median));
    const verdicts = Object.entries(ROWS).map(([callers, row]): Verdict => {
      const measured = rate(Number(callers), 0);
      return {
        row,
        what: `${callers} callers, ${callers} free keys, one process: pairs/s, of by hand`,
        wanted: `≥ ${WANTED_RATE}`,
        measured: estimated(measured),
        holds: measured.value >= WANTED_RATE,
      };
    });
    return {
      verdicts,
      tables: [
        {
          title: manyKeys.title,
          head: [
            '',
            ...sizes.map((callers) => `pairs/s, ${callers}`),
            ...WITH_A_ROW.map((callers) => `of by hand, ${callers}`),
            'CPU of the client, µs, 64',
          ],
          rows: contenders.map(({ name }, index) => [
            name,
            ...sizes.map((callers) => figure(perSecond(callers, index))),
            ...WITH_A_ROW.map((callers) => estimated(rate(callers, index))),
            figure(byCallers.get(64)![index]!.meanCpuMicros),
          ]),
          note:
            'Every caller acquires its own key, releases it, and begins again, all of them at once over one connection for each ' +
            'contender. `by hand, autopipelining` sets `enableAutoPipelining: true` of ioredis, which is what whoever ' +
            'writes it by hand would do about throughput; so do the packages that are tuned.',
        },
      ],
      charts: [
        {
          kind: 'lines',
          name: 'throughput',
          title: 'Locks of one process, each caller with a free key (Redis)',
          unit: 'acquired and released, in a second',
          across: 'callers at once',
          lines: contenders.map((contender, index) => ({
            ...contender,
            points: sizes.map((callers) => [callers, perSecond(callers, index)] as const),
          })),
        },
      ],
    };
  },
};
