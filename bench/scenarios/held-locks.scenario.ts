import { type Contender } from '../contenders/contender.js';
import { oursOnRedis } from '../contenders/ours.js';
import { redisPeers } from '../contenders/redis-peers.js';
import { underLoad } from '../measure/server-load.js';
import { estimate } from '../measure/statistics.js';
import { estimated, figure } from '../report/figures.js';
import { present, type Scenario, type Verdict } from './scenario.js';

const HELD = 10_000;
const LEASE_MS = 10_000;

interface Sample {
  readonly commands: number;
  readonly cpuPercent: number;
  readonly heapBytes: number;
  readonly serverPercent: number;
}

interface Renewer {
  readonly contender: Contender;
  /** How often it renews, with its defaults and a lease of 10 s. */
  readonly periodMs: number;
}

/** Who renews what is held by hand, with nothing around it; of the others, only a section that is run for one is renewed. */
const renewers: readonly Renewer[] = [
  { contender: oursOnRedis, periodMs: LEASE_MS / 3 },
  { contender: redisPeers.find(({ name }) => name === 'redis-semaphore')!, periodMs: LEASE_MS * 0.8 },
];

export const heldLocks: Scenario = {
  name: 'held-locks',
  title: `${HELD.toLocaleString('en-GB')} locks held and renewed, Redis`,
  async measure(circumstances) {
    const { stage, effort, say } = circumstances;
    const allowed = present(
      renewers.map(({ contender }) => contender),
      circumstances,
    );
    // A period of the other one alone takes 8 s.
    const chosen = renewers.filter(
      ({ contender }) => allowed.includes(contender) && (effort.name === 'full' || contender === oursOnRedis),
    );
    const { url, admin } = await stage.redis();
    const keys = Math.round(HELD * effort.masses);
    const samples = new Map<string, Sample[]>(chosen.map(({ contender }) => [contender.name, []]));
    // Half a minute for one would leave no time for the others.
    const repetitions = effort.name === 'full' ? effort.repetitions : 1;
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      for (const { contender, periodMs } of chosen) {
        const { name, sends } = contender;
        say(`${name}, repetition ${repetition + 1}`);
        const [actor] = await stage.actors(1);
        await actor!.does.open(name, url);
        const heapBytes = await actor!.does.holdMany(name, keys);
        // Whole periods, so that it does not matter when they began.
        const forMs = periodMs * (effort.name === 'full' ? 3 : 1);
        const [cpuMs, load] = await underLoad(admin, sends, () => actor!.does.idle(forMs));
        await actor!.stop();
        samples.get(name)!.push({
          commands: (load.commands * periodMs) / forMs,
          cpuPercent: (100 * cpuMs) / forMs,
          heapBytes,
          serverPercent: (100 * load.cpuMs) / forMs,
        });
        await admin.flushall();
      }
    }
    const of = (name: string, what: keyof Sample) => estimate(samples.get(name)!.map((sample) => [sample[what]]));
    const verdict = (what: keyof Sample, text: string, most: number, unit: string): Verdict => {
      const measured = of(oursOnRedis.name, what);
      return {
        row: 8,
        what: `${keys.toLocaleString('en-GB')} held locks: ${text}`,
        wanted: `≤ ${most.toLocaleString('en-GB')}${unit}`,
        measured: `${estimated(measured)}${unit}`,
        holds: measured.value <= most,
      };
    };
    return {
      verdicts: [
        verdict('commands', 'commands in a renewal period', 40, ''),
        verdict('cpuPercent', 'CPU of the client', 1.5, ' %'),
        verdict('heapBytes', 'heap of each', 1_500, ' B'),
      ],
      tables: [
        {
          title: heldLocks.title,
          head: [
            '',
            'a period, s',
            'commands in a period',
            'CPU of the client, %',
            'CPU of the server, %',
            'heap of each, B',
          ],
          rows: chosen.map(({ contender: { name }, periodMs }) => [
            name,
            figure(periodMs / 1_000),
            estimated(of(name, 'commands')),
            estimated(of(name, 'cpuPercent')),
            estimated(of(name, 'serverPercent')),
            estimated(of(name, 'heapBytes')),
          ]),
          note:
            'In a process of their own, with the default lease of 10 s. Of the packages, only redis-semaphore renews what is acquired by hand; ' +
            'the redlocks renew what runs in their `using`.',
        },
      ],
      charts: [],
    };
  },
};
