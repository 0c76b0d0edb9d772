import { oursOnRedis } from '../contenders/ours.js';
import { estimate } from '../measure/statistics.js';
import { estimated, figure } from '../report/figures.js';
import { type Footprint } from '../stage/actor.js';
import { type Scenario } from './scenario.js';

const WAITERS = 100_000;
const KEYS = 10_000;
const WANTED_BYTES = 1_500;
/** Some are for all of them together. */
const WANTED_TIMERS = 0.01;

export const waitingCallers: Scenario = {
  name: 'waiting-callers',
  title: `${WAITERS.toLocaleString('en-GB')} callers of one process wait for ${KEYS.toLocaleString('en-GB')} keys, Redis`,
  async measure({ stage, effort, say }) {
    const { url, admin } = await stage.redis();
    const { name } = oursOnRedis;
    const callers = Math.round(WAITERS * effort.masses);
    const keys = Math.round(KEYS * effort.masses);
    const repetitions = effort.name === 'full' ? Math.min(3, effort.repetitions) : 1;
    const footprints: Footprint[] = [];
    const timers: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      say(`repetition ${repetition + 1}`);
      const [holder, waiter, counter] = await stage.actors(3);
      for (const actor of [holder!, waiter!, counter!]) await actor.does.open(name, url);
      await holder!.does.holdMany(name, keys);
      footprints.push(await waiter!.does.waitMany(name, keys, callers));
      timers.push((await counter!.does.countTimers(name, keys / 10, callers / 10)) / (callers / 10));
      for (const actor of [waiter!, counter!, holder!]) await actor.stop();
      await admin.flushall();
    }
    const heap = estimate(footprints.map(({ heapBytes }) => [heapBytes]));
    const resident = estimate(footprints.map(({ residentBytes }) => [residentBytes]));
    const timersEach = estimate(timers.map((each) => [each]));
    return {
      verdicts: [
        {
          row: 9,
          what: `${callers.toLocaleString('en-GB')} waiters on ${keys.toLocaleString('en-GB')} keys: heap of each`,
          wanted: `≤ ${WANTED_BYTES.toLocaleString('en-GB')} B`,
          measured: `${estimated(heap)} B`,
          holds: heap.value <= WANTED_BYTES,
        },
        {
          row: 9,
          what: 'the same: timers for each',
          wanted: 'none',
          measured: figure(timersEach.value),
          holds: timersEach.value <= WANTED_TIMERS,
        },
      ],
      tables: [
        {
          title: waitingCallers.title,
          head: ['', 'heap of each, B', 'resident memory of each, B', 'timers for each'],
          rows: [[name, estimated(heap), estimated(resident), figure(timersEach.value)]],
          note:
            'Another process holds the keys. The heap includes the promises that the callers themselves wait on, and is taken after ' +
            'collecting twice; timers are counted in a third process, with a tenth of the callers, by what Node makes and destroys.',
        },
      ],
      charts: [],
    };
  },
};
