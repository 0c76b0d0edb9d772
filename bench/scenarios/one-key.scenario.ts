import { byHand, byHandInTurn, byHandQueue } from '../contenders/by-hand.js';
import { type Contender, keyOf } from '../contenders/contender.js';
import { oursOnRedis, oursStrict } from '../contenders/ours.js';
import { redisPeers, tunedRedisPeers } from '../contenders/redis-peers.js';
import { crowd } from '../measure/crowd.js';
import { interleave } from '../measure/interleave.js';
import { underLoad } from '../measure/server-load.js';
import { estimate, median, quantile, sum } from '../measure/statistics.js';
import { estimated, figure } from '../report/figures.js';
import { LEFT_OUT, polling } from './polling.js';
import { present, type Scenario } from './scenario.js';

const CALLERS = 50;
const INSIDE_MS = 1;
const WANTED_COMMANDS = 0.15;
const WANTED_WAIT = 1.3;

interface Sample {
  readonly perSecond: number;
  readonly commands: number;
  readonly overtaken: number;
  readonly p50Ms: number;
  readonly longestMs: number;
  /** Of what the longest wait would be if callers took strict turns and handing over took no time. */
  readonly longest: number;
  readonly cpuMicros: number;
}

export const oneKey: Scenario = {
  name: 'one-key',
  title: `${CALLERS} callers of one process, one key, ${INSIDE_MS} ms inside, Redis`,
  async measure(circumstances) {
    const { stage, effort } = circumstances;
    const others = polling([...redisPeers, ...tunedRedisPeers], effort);
    const contenders = present([oursOnRedis, oursStrict, byHand, byHandInTurn, byHandQueue, ...others], circumstances);
    const { url, admin } = await stage.redis();
    const samples = new Map<string, Sample[][]>(contenders.map(({ name }) => [name, []]));
    // Long enough for everybody to have had a few turns.
    const forMs = Math.max(CALLERS * 6, effort.forMs / contenders.length / effort.repetitions);
    for (let repetition = 0; repetition < effort.repetitions; repetition += 1) {
      const ways = await Promise.all(
        contenders.map(async (contender) => {
          const locker = await contender.open(url);
          const turn = async (): Promise<Sample> => {
            const terms = { key: keyOf(contender, 'crowd'), callers: CALLERS, insideMs: INSIDE_MS, forMs };
            const [report, load] = await underLoad(admin, contender.sends, () => crowd(locker, terms));
            const { sections } = report;
            const longestMs = Math.max(...report.waitsMs);
            return {
              perSecond: (sum(report.inTime) * 1_000) / forMs,
              commands: load.commands / sections,
              overtaken: report.overtakings / sections,
              p50Ms: median(report.waitsMs),
              longestMs,
              longest: longestMs / (((CALLERS - 1) * report.insideMs) / sections),
              cpuMicros: (report.cpuMs * 1_000) / sections,
            };
          };
          // Connected, and its scripts known to the server.
          await (
            await locker.acquire(keyOf(contender, 'warm-up'))
          )();
          return { name: contender.name, turn, close: () => locker.close() };
        }),
      );
      for (const [name, own] of await interleave(ways, { forMs: 0, atLeast: 1 })) samples.get(name)!.push(own);
      for (const { close } of ways) await close();
    }
    const of = ({ name }: Contender, what: keyof Sample) =>
      estimate(samples.get(name)!.map((repetition) => repetition.map((sample) => sample[what])));
    const commands = of(oursOnRedis, 'commands');
    const longest = of(oursOnRedis, 'longest');
    const overtaken = of(oursOnRedis, 'overtaken');
    return {
      verdicts: [
        {
          row: 4,
          what: `${CALLERS} callers, one key, ${INSIDE_MS} ms inside: commands a section`,
          wanted: `≤ ${WANTED_COMMANDS}`,
          measured: estimated(commands),
          holds: commands.value <= WANTED_COMMANDS,
        },
        {
          row: 4,
          what: 'the same: sections whose caller overtook another',
          wanted: '0 (FIFO)',
          measured: estimated(overtaken),
          holds: overtaken.high === 0,
        },
        {
          row: 4,
          what: 'the same: the longest wait, of the ideal one',
          wanted: `≤ ${WANTED_WAIT}`,
          measured: estimated(longest),
          holds: longest.value <= WANTED_WAIT,
        },
      ],
      tables: [
        {
          title: oneKey.title,
          head: [
            '',
            'sections/s',
            'commands a section',
            'overtaken, share',
            'wait, median, ms',
            'longest wait, ms',
            'of the ideal',
            'CPU of the client, µs',
          ],
          rows: contenders.map((contender) => [
            contender.name,
            figure(of(contender, 'perSecond').value),
            estimated(of(contender, 'commands')),
            figure(of(contender, 'overtaken').value),
            figure(of(contender, 'p50Ms').value),
            figure(of(contender, 'longestMs').value),
            figure(of(contender, 'longest').value),
            figure(of(contender, 'cpuMicros').value),
          ]),
          note:
            `Median of ${effort.repetitions} repetitions of ${figure(forMs)} ms, and the lowest and the highest of them. The ideal is ` +
            `${CALLERS - 1} sections of the length that they really had, one after the other. Where the longest wait is longer than ` +
            'the repetition, somebody had a turn only when the others had stopped. Where a package limits how often it tries, the ' +
            `limit is raised: redlock, redlock-universal, ioredis-lock and murlock would give up instead. ${LEFT_OUT} Who polls ` +
            'seldom finds the key free more often, for it is held less: so there are few commands, and few sections.',
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'commands',
          title: `Commands for one lock: ${CALLERS} callers of one process, one key, ${INSIDE_MS} ms inside (Redis)`,
          unit: 'commands a section',
          bars: contenders.map((contender) => {
            const { value, low, high } = of(contender, 'commands');
            return { ...contender, p10: low, median: value, p90: high };
          }),
        },
        {
          kind: 'bars',
          name: 'longest-wait',
          title: `The longest wait of ${CALLERS} callers for one key, ${INSIDE_MS} ms inside (Redis)`,
          unit: 'ms',
          bars: contenders.map((contender) => {
            const waits = samples.get(contender.name)!.flatMap((own) => own.map(({ longestMs }) => longestMs));
            return { ...contender, p10: quantile(waits, 0.1), median: median(waits), p90: quantile(waits, 0.9) };
          }),
        },
      ],
    };
  },
};
