import { MemoryBackend } from 'nestjs-locked/memory';
import { RedisBackend } from 'nestjs-locked/redis';
import { type LockBackend } from 'nestjs-locked';
import { type Locker, type Release } from '../contenders/contender.js';
import { openManager, oursOnRedis } from '../contenders/ours.js';
import { growth, type Point } from '../measure/growth.js';
import { inCompany } from '../measure/in-company.js';
import { underLoad } from '../measure/server-load.js';
import { estimate, median, sum } from '../measure/statistics.js';
import { figure } from '../report/figures.js';
import { type Actor } from '../stage/actor.js';
import { type Circumstances, type Scenario } from './scenario.js';

/** One thing that grows. Every backend is asked again and again at every size, in turn, so that all sizes meet one machine. */
interface Series {
  readonly what: string;
  readonly grows: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  /** The cost of one lock, once. */
  readonly probe: (size: number) => Promise<number>;
}

const LOCKS = 200;

export const scaling: Scenario = {
  name: 'scaling',
  title: 'What one lock costs, as everything grows',
  async measure(circumstances) {
    const { effort, say } = circumstances;
    const most = effort.name === 'full' ? 5 : effort.name === 'quick' ? 3 : 2;
    const powers = (to: number): number[] =>
      Array.from({ length: Math.min(to, most) }, (_, index) => 10 ** (index + 1));
    const { url } = await circumstances.stage.redis();
    const actors = await circumstances.stage.actors(effort.name === 'full' ? 16 : 4);
    for (const { does } of actors) await does.open(oursOnRedis.name, url);
    const onMemory = (): LockBackend => new MemoryBackend();
    const onRedis = (): LockBackend => new RedisBackend({ url });
    const series: readonly Series[] = [
      { ...keys('memory', onMemory), sizes: powers(5) },
      { ...keys('Redis', onRedis), sizes: powers(5) },
      { ...callers('memory', onMemory), sizes: powers(4) },
      { ...callers('Redis', onRedis), sizes: powers(4) },
      { ...held('memory', onMemory), sizes: powers(5) },
      { ...held('Redis', onRedis), sizes: powers(4) },
      { ...lineLength('memory', onMemory), sizes: powers(4) },
      { ...lineLength('Redis', onRedis), sizes: powers(4) },
      { ...processes(circumstances, url, actors), sizes: [1, 2, 4, 8, 16].filter((size) => size <= actors.length) },
    ];
    const rows: string[][] = [];
    const lines = [];
    for (const each of series) {
      say(`${each.grows} (${each.what})`);
      const costs = new Map<number, number[]>(each.sizes.map((size) => [size, []]));
      for (let repetition = 0; repetition <= effort.repetitions; repetition += 1) {
        for (const size of each.sizes) {
          const cost = await each.probe(size);
          // The first is not compiled yet.
          if (repetition > 0) costs.get(size)!.push(cost);
        }
      }
      const points: Point[] = each.sizes.map((size) => ({ size, cost: median(costs.get(size)!) }));
      const { exponent, ofLogarithm, worse } = growth(points);
      const noise = Math.max(...each.sizes.map((size) => rangeOf(costs.get(size)!)));
      rows.push([
        `${each.grows} (${each.what})`,
        each.unit,
        points.map(({ size, cost }) => `${size.toLocaleString('en-GB')}: ${figure(cost)}`).join(', '),
        exponent.toFixed(2),
        ofLogarithm.toFixed(2),
        `±${Math.round((100 * (noise - 1)) / 2)} %`,
        worse ? '**worse than O(log n)**' : 'at most O(log n)',
      ]);
      const atFirst = points[0]!.cost;
      lines.push({
        name: `${each.grows} (${each.what})`,
        kind: each.what === 'memory' ? ('by hand' as const) : ('ours' as const),
        points: points.map(({ size, cost }) => [size, cost / atFirst] as const),
      });
    }
    await Promise.all(actors.map((actor) => actor.stop()));
    return {
      verdicts: [],
      tables: [
        {
          title: scaling.title,
          head: ['what grows', 'unit', 'cost of one', 'exponent', 'of log n, there', 'spread', ''],
          rows,
          note:
            'Medians of the repetitions. The exponent is the slope of a straight line through the logarithms of sizes and costs: 0 where one ' +
            'lock costs the same however many there are, 1 where it costs in proportion. Over the same sizes, log n itself has ' +
            'the exponent of the next column; what is above that by more than 0.07 is marked. Of the costs, the spread is how far ' +
            'the repetitions are from each other at the worst size: an exponent within it says nothing.',
        },
      ],
      charts: [
        {
          kind: 'lines',
          name: 'scaling',
          title: 'What one lock costs, as everything grows',
          unit: 'times the cost at the smallest size',
          across: 'how many there are',
          lines,
        },
      ],
    };
  },
};

type Probe = Omit<Series, 'sizes'>;
type MakeBackend = () => LockBackend;

const rangeOf = (costs: readonly number[]): number => {
  const { low, high } = estimate(costs.map((cost) => [cost]));
  return high / low;
};

/** Every lock is of another key than the last, of so many. */
function keys(what: string, backend: MakeBackend): Probe {
  return {
    what,
    grows: 'different keys',
    unit: 'µs',
    probe: (size) =>
      using(backend, async (locker) => {
        await inCompany(Math.min(size, LOCKS), async (index) => void (await once(locker, `key:${index}`)));
        // All have been locked before: what a key leaves behind is there.
        await inCompany(size, (index) => once(locker, `key:${index}`));
        return micros(LOCKS, (index) => once(locker, `key:${(index * 7_919) % size}`));
      }),
  };
}

/** So many callers of one process want one key, each once. */
function callers(what: string, backend: MakeBackend): Probe {
  return {
    what,
    grows: 'callers of one process that want one key',
    unit: 'µs a section',
    probe: (size) =>
      using(backend, async (locker) => {
        await once(locker, 'key');
        const rounds = Math.max(1, Math.floor(1_000 / size));
        return micros(rounds, () => Promise.all(Array.from({ length: size }, () => once(locker, 'key')))).then(
          (cost) => cost / size,
        );
      }),
  };
}

/** So many other locks are held, and renewed. */
function held(what: string, backend: MakeBackend): Probe {
  return {
    what,
    grows: 'other locks held meanwhile',
    unit: 'µs',
    probe: (size) =>
      using(backend, async (locker) => {
        await inCompany(size, async (index) => void (await locker.acquire(`held:${index}`)));
        return micros(LOCKS, () => once(locker, 'key'));
      }),
  };
}

/** So many claims stand in one line, each as if of a process of its own: the first leaves, and another joins behind them. */
function lineLength(what: string, backend: MakeBackend): Probe {
  return {
    what,
    grows: 'claims in one line',
    unit: 'µs, one leaves and one joins',
    async probe(size) {
      const place = backend();
      const claim = (index: number) =>
        place.claim({ key: 'line', id: `claim-${index}`.padEnd(24, 'x'), slots: 1, leaseMs: 60_000 });
      const line: ReturnType<LockBackend['claim']>[] = [];
      const join = async (index: number): Promise<void> => {
        const own = claim(index);
        line.push(own);
        own.watch?.(() => undefined);
        await own.attempt({ queue: true });
      };
      await inCompany(size, join);
      let left = 0;
      const cost = await micros(Math.min(LOCKS, size), async (index) => {
        await line[left++]!.withdraw();
        await join(size + index);
      });
      await inCompany(line.length - left, async (index) => line[left + index]!.withdraw());
      await place.close?.();
      return cost;
    },
  };
}

/** So many processes want one key. Processor time, of all of them and the server: the machine has only so many cores. */
function processes({ stage }: Circumstances, url: string, actors: readonly Actor[]): Probe {
  const terms = { key: 'scaling', callers: 4, insideMs: 1, forMs: 250 };
  const { name, sends } = oursOnRedis;
  return {
    what: 'Redis',
    grows: 'processes that want one key',
    unit: 'µs of CPU a section, all processes and the server',
    async probe(size) {
      const { admin } = await stage.redis();
      const some = actors.slice(0, size);
      const work = () => Promise.all(some.map(({ does }) => does.crowd(name, terms)));
      const [reports, load] = await underLoad(admin, sends, work);
      const sections = sum(reports.map((report) => report.sections));
      return ((sum(reports.map(({ cpuMs }) => cpuMs)) + load.cpuMs) * 1_000) / sections;
    },
  };
}

async function using(backend: MakeBackend, work: (locker: Locker) => Promise<number>): Promise<number> {
  const locker = openManager(backend(), { drainMs: 0 });
  try {
    return await work(locker);
  } finally {
    await locker.close();
  }
}

async function once(locker: Locker, key: string): Promise<void> {
  const release: Release = await locker.acquire(key);
  await release();
}

async function micros(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let index = 0; index < count; index += 1) await work(index);
  return ((performance.now() - startedAt) * 1_000) / count;
}
