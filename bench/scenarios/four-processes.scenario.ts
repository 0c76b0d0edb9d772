import { byHand, byHandInTurn, byHandQueue } from '../contenders/by-hand.js';
import { keyOf } from '../contenders/contender.js';
import { oursOnRedis, oursStrict } from '../contenders/ours.js';
import { redisPeers, tunedRedisPeers } from '../contenders/redis-peers.js';
import { underLoad } from '../measure/server-load.js';
import { estimate, fairness, median, sum } from '../measure/statistics.js';
import { estimated, figure } from '../report/figures.js';
import { LEFT_OUT, polling } from './polling.js';
import { present, type Scenario, type Verdict } from './scenario.js';

const PROCESSES = 4;
const CALLERS = 10;
const INSIDE_MS = 1;

interface Sample {
  readonly perSecond: number;
  readonly commands: number;
  readonly longestMs: number;
  readonly fairness: number;
  readonly p50Ms: number;
  readonly cpuMicros: number;
}

export const fourProcesses: Scenario = {
  name: 'four-processes',
  title: `${PROCESSES} processes of ${CALLERS} callers, one key, ${INSIDE_MS} ms inside, Redis`,
  async measure(circumstances) {
    const { stage, effort, say } = circumstances;
    const others = polling([...redisPeers, ...tunedRedisPeers], effort);
    const contenders = present([oursOnRedis, oursStrict, byHand, byHandInTurn, byHandQueue, ...others], circumstances);
    const { url, admin } = await stage.redis();
    const forMs = Math.max(300, effort.forMs / contenders.length / effort.repetitions);
    const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
    const actors = await stage.actors(PROCESSES);
    for (let repetition = 0; repetition < effort.repetitions; repetition += 1) {
      say(`repetition ${repetition + 1}`);
      // Everybody is first in turn, and last.
      const first = repetition % contenders.length;
      for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
        const { name, sends } = contender;
        await Promise.all(actors.map(({ does }) => does.open(name, url)));
        const terms = { key: keyOf(contender, 'crowd'), callers: CALLERS, insideMs: INSIDE_MS };
        // Warm: whoever comes first has not been compiled yet.
        await Promise.all(actors.map(({ does }) => does.crowd(name, { ...terms, forMs: 100 })));
        const work = () => Promise.all(actors.map(({ does }) => does.crowd(name, { ...terms, forMs })));
        const [reports, load] = await underLoad(admin, sends, work);
        const callers = reports.flatMap(({ inTime }) => inTime);
        const waits = reports.flatMap(({ waitsMs }) => waitsMs);
        const sections = sum(reports.map((report) => report.sections));
        samples.get(name)!.push({
          perSecond: (sum(callers) * 1_000) / forMs,
          commands: load.commands / sections,
          longestMs: Math.max(...waits),
          p50Ms: median(waits),
          fairness: fairness(callers),
          cpuMicros: (sum(reports.map(({ cpuMs }) => cpuMs)) * 1_000) / sections,
        });
      }
    }
    await Promise.all(actors.map((actor) => actor.stop()));
    const of = (name: string, what: keyof Sample) => estimate(samples.get(name)!.map((sample) => [sample[what]]));
    const verdict = (what: keyof Sample, text: string, least: boolean, wanted: number, unit = ''): Verdict => {
      const measured = of(oursOnRedis.name, what);
      return {
        row: 5,
        what: `${PROCESSES} processes × ${CALLERS} callers, one key, ${INSIDE_MS} ms inside: ${text}`,
        wanted: `${least ? '≥' : '≤'} ${wanted}${unit}`,
        measured: estimated(measured),
        holds: least ? measured.value >= wanted : measured.value <= wanted,
      };
    };
    return {
      verdicts: [
        verdict('perSecond', 'sections/s', true, 800),
        verdict('commands', 'commands a section', false, 0.2),
        verdict('longestMs', 'longest wait', false, 120, ' ms'),
        verdict('fairness', `Jain's index of the callers`, true, 0.98),
      ],
      tables: [
        {
          title: fourProcesses.title,
          head: [
            '',
            'sections/s',
            'commands a section',
            'wait, median, ms',
            'longest wait, ms',
            `Jain's index`,
            'CPU of the clients, µs',
          ],
          rows: contenders.map(({ name }) => [
            name,
            estimated(of(name, 'perSecond')),
            estimated(of(name, 'commands')),
            figure(of(name, 'p50Ms').value),
            estimated(of(name, 'longestMs')),
            figure(of(name, 'fairness').value),
            figure(of(name, 'cpuMicros').value),
          ]),
          note:
            `Median of ${effort.repetitions} repetitions of ${figure(forMs)} ms each, with the lowest and the highest. Jain's index is of how many ` +
            `sections each of the ${PROCESSES * CALLERS} callers had: 1 where all had the same. A timer of ${INSIDE_MS} ms takes a little longer, ` +
            `so nobody can do a thousand sections in a second. ${LEFT_OUT}`,
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'four-processes-waits',
          title: `The longest wait: ${PROCESSES} processes × ${CALLERS} callers, one key, ${INSIDE_MS} ms inside (Redis)`,
          unit: 'ms',
          bars: contenders.map((contender) => {
            const { value, low, high } = of(contender.name, 'longestMs');
            return { ...contender, p10: low, median: value, p90: high };
          }),
        },
      ],
    };
  },
};
