import { setTimeout as sleep } from 'node:timers/promises';
import { barePush } from '../contenders/bare-push.js';
import { byHand, byHandQueue } from '../contenders/by-hand.js';
import { type Contender, keyOf } from '../contenders/contender.js';
import { oursOnRedis } from '../contenders/ours.js';
import { redisPeers, tunedRedisPeers } from '../contenders/redis-peers.js';
import { interleave } from '../measure/interleave.js';
import { estimate, ratios, spread } from '../measure/statistics.js';
import { estimated, figureOf } from '../report/figures.js';
import { type Actor } from '../stage/actor.js';
import { present, type Scenario } from './scenario.js';

const WANTED_MS = 0.65;
const WANTED_RATIO = 1.05;
/** By then, by the clock of whoever waits, what it has asked for is answered: it is in line. */
const IN_LINE_MS = 3;
/** And up to so much later: whoever polls must not always be asked at the same moment. */
const CHANCE_MS = 5;

const compared = ['redis-semaphore', 'redlock, tuned', 'redlock-universal, tuned'];

export const handOff: Scenario = {
  name: 'hand-off',
  title: 'From the release in one process to the lock in another, Redis',
  async measure(circumstances) {
    const { stage, effort, say } = circumstances;
    const others = [...redisPeers, ...tunedRedisPeers].filter(({ name }) => compared.includes(name));
    const contenders = present([barePush, oursOnRedis, byHandQueue, byHand, ...others], circumstances);
    const { url } = await stage.redis();
    const samples = new Map<string, number[][]>(contenders.map(({ name }) => [name, []]));
    const actors = await stage.actors(2);
    const [giver, taker] = actors as readonly [Actor, Actor];
    for (let repetition = 0; repetition < effort.repetitions; repetition += 1) {
      say(`repetition ${repetition + 1}`);
      for (const { name } of contenders) await Promise.all(actors.map(({ does }) => does.open(name, url)));
      const ways = contenders.map((contender) => ({
        name: contender.name,
        turn: () => handOver(contender, giver, taker),
      }));
      const rounds = { forMs: effort.forMs / effort.repetitions, atLeast: 5 };
      for (const [name, own] of await interleave(ways, rounds)) samples.get(name)!.push(own);
    }
    await Promise.all(actors.map((actor) => actor.stop()));
    const of = ({ name }: Contender) => samples.get(name)!;
    const latency = estimate(of(oursOnRedis));
    const ratio = estimate(ratios(of(oursOnRedis), of(barePush)));
    return {
      verdicts: [
        {
          row: 6,
          what: 'Hand-off to another process, median',
          wanted: `≤ ${WANTED_MS} ms`,
          measured: `${estimated(latency)} ms`,
          holds: latency.value <= WANTED_MS,
        },
        {
          row: 6,
          what: 'the same, of a bare push',
          wanted: `≤ ${WANTED_RATIO}`,
          measured: estimated(ratio),
          holds: ratio.value <= WANTED_RATIO,
        },
      ],
      tables: [
        {
          title: handOff.title,
          head: ['', 'ms: median (p10–p90)', 'of a bare push'],
          rows: contenders.map((contender) => [
            contender.name,
            figureOf(spread(of(contender).flat())),
            estimated(estimate(ratios(of(contender), of(barePush)))),
          ]),
          note:
            'By the monotonic clock that both processes share: from the call that releases, until the other process, which waits ' +
            'already, goes on. A bare push is one PUBLISH that the other process is subscribed to, and no lock. ' +
            'Between two of them the processes sleep, so each of these figures includes their waking up.',
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'hand-off',
          title: 'Hand-off to another process (Redis)',
          unit: 'ms',
          bars: contenders.map((contender) => ({ ...contender, ...spread(of(contender).flat()) })),
        },
      ],
    };
  },
};

async function handOver(contender: Contender, giver: Actor, taker: Actor): Promise<number> {
  const key = keyOf(contender, 'hand-off');
  const [given, taken] = contender === barePush ? [`${key}@giver`, `${key}@taker`] : [key, key];
  await giver.does.hold(contender.name, given);
  const had = taker.does.take(contender.name, taken);
  for (let turns = 0; turns < IN_LINE_MS; turns += 1) await taker.does.idle(1);
  await sleep(CHANCE_MS * Math.random());
  const freedAt = await giver.does.letGo(contender.name, given);
  return (await had) - freedAt;
}
