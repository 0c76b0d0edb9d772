import { twoBuilds } from '../contenders/without-events.js';
import { interleave } from '../measure/interleave.js';
import { estimate, ratios, spread } from '../measure/statistics.js';
import { estimated, figureOf } from '../report/figures.js';
import { type Scenario } from './scenario.js';

const WANTED = 1.02;
const LOCKS_A_TURN = 300;
/** What the engine makes of a copy differs from load to load by more than what is measured. Even, for who is loaded first alternates. */
const LOADS = { smallest: 2, quick: 6, full: 24 };
const FOR_MS = 600;

export const unheardEvents: Scenario = {
  name: 'unheard-events',
  title: 'Events that nobody hears, memory backend',
  async measure({ effort }) {
    const asBuilt: number[][] = [];
    const without: number[][] = [];
    let looks = 0;
    for (let repetition = 0; repetition < LOADS[effort.name]; repetition += 1) {
      const builds = await twoBuilds({ asBuiltFirst: repetition % 2 === 0 });
      ({ looks } = builds);
      const ways = (['asBuilt', 'withoutEvents'] as const).map((name) => ({
        name,
        async turn() {
          const manager = builds[name];
          const startedAt = performance.now();
          for (let index = 0; index < LOCKS_A_TURN; index += 1) await (await manager.acquire('key')).release();
          return ((performance.now() - startedAt) * 1e6) / LOCKS_A_TURN;
        },
      }));
      const samples = await interleave(ways, { forMs: FOR_MS, atLeast: 5 });
      asBuilt.push(samples.get('asBuilt')!);
      without.push(samples.get('withoutEvents')!);
      await builds.close();
    }
    const ratio = estimate(ratios(asBuilt, without));
    return {
      verdicts: [
        {
          row: 11,
          what: 'Memory backend, free key, nobody listens to events: of a build without them',
          wanted: `< ${WANTED}`,
          measured: estimated(ratio),
          holds: ratio.value < WANTED,
        },
      ],
      tables: [
        {
          title: unheardEvents.title,
          head: ['', 'free key, ns: median (p10–p90)', 'of a build without events'],
          rows: [
            ['nestjs-locked', figureOf(spread(asBuilt.flat())), estimated(ratio)],
            [`the same, with ${looks} looks for listeners taken out`, figureOf(spread(without.flat())), ''],
          ],
          note:
            `Copies of the built package, in turns of ${LOCKS_A_TURN} locks within one process, loaded anew for each repetition. ` +
            'The memory backend is the fastest, so of any other it is a smaller share.',
        },
      ],
      charts: [],
    };
  },
};
