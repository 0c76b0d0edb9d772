import { bareQueue, type InProcess, ours, peers } from '../contenders/in-process.js';
import { interleave } from '../measure/interleave.js';
import { type Estimate, estimate, ratios, spread } from '../measure/statistics.js';
import { estimated, figureOf } from '../report/figures.js';
import { type Scenario } from './scenario.js';

const WANTED = 2;
const SECTIONS_A_TURN = 500;
const CALLERS = 100;

/** A turn: how many nanoseconds one section took. */
type Work = (contender: InProcess) => Promise<void>;

/** One after the other, each on a key of its own that nobody has used for a while. */
const free: Work = async ({ section }) => {
  for (let index = 0; index < SECTIONS_A_TURN; index += 1) await section(KEYS[index % KEYS.length]!);
};

/** All at once on one key. */
const wanted: Work = async ({ section }) => {
  for (let index = 0; index < SECTIONS_A_TURN; index += CALLERS) {
    await Promise.all(Array.from({ length: CALLERS }, () => section('one')));
  }
};

const KEYS = Array.from({ length: 100 }, (_, index) => `key:${index}`);

export const inProcess: Scenario = {
  name: 'in-process',
  title: 'Within one process, memory backend',
  async measure({ effort, peers: withPeers }) {
    const contenders = [...ours(), bareQueue(), ...(withPeers ? peers() : [])];
    const measured = async (work: Work): Promise<Map<string, number[][]>> => {
      const samples = new Map<string, number[][]>(contenders.map(({ name }) => [name, []]));
      for (let repetition = 0; repetition < effort.repetitions; repetition += 1) {
        const ways = contenders.map((contender) => ({
          name: contender.name,
          async turn() {
            const startedAt = performance.now();
            await work(contender);
            return ((performance.now() - startedAt) * 1e6) / SECTIONS_A_TURN;
          },
        }));
        const rounds = { forMs: effort.forMs / 4 / effort.repetitions, atLeast: 5 };
        for (const [name, own] of await interleave(ways, rounds)) samples.get(name)!.push(own);
      }
      return samples;
    };
    const alone = await measured(free);
    const crowded = await measured(wanted);
    const floor = bareQueue().name;
    const ofFloor = (samples: Map<string, number[][]>, name: string): Estimate =>
      estimate(ratios(samples.get(name)!, samples.get(floor)!));
    const ratio = ofFloor(alone, contenders[0]!.name);
    const { median: nanos } = spread(alone.get(contenders[0]!.name)!.flat());
    return {
      verdicts: [
        {
          row: 7,
          what: 'Memory backend, free key, acquire and release: of a bare queue of promises',
          wanted: `≤ ${WANTED}`,
          measured: `${estimated(ratio)}, ${Math.round(nanos)} ns`,
          holds: ratio.value <= WANTED,
        },
      ],
      tables: [
        {
          title: inProcess.title,
          head: [
            '',
            'free key, ns: median (p10–p90)',
            'of a bare queue',
            `${CALLERS} callers, one key, ns a section`,
            'of a bare queue',
          ],
          rows: contenders.map(({ name }) => [
            name,
            figureOf(spread(alone.get(name)!.flat())),
            estimated(ofFloor(alone, name)),
            figureOf(spread(crowded.get(name)!.flat())),
            estimated(ofFloor(crowded, name)),
          ]),
          note:
            'An asynchronous section that does nothing. A bare queue knows neither timeouts nor leases nor tokens, async-mutex knows no ' +
            'keys, async-lock no tokens and no signal; nestjs-locked does here what it does on a server.',
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'in-process',
          title: 'A free key, within one process',
          unit: 'ns',
          bars: contenders.map((contender) => ({ ...contender, ...spread(alone.get(contender.name)!.flat()) })),
        },
      ],
    };
  },
};
