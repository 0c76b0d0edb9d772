import 'reflect-metadata';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startGentleLoad } from './gentle-load.js';
import { lockPlace, lockPlaces } from './lock-place.js';
import { openProcesses } from './open-processes.js';
import { openSale } from './open-sale.js';
import { faultIn, progressOf, tableOf } from './report.js';
import { type Outcome, type Rush, runRush } from './rush.js';

const USAGE = `npm start               500 buyers rush for 100 seats, first without the lock and then with it
npm start -- --serve    keeps the application up under a gentle load: to see its locks on a page, and to try it by hand
npm start -- --backend redis --processes 4
                        the same sale by several processes, whose locks live on a server that is started for the run,
                        or on the one at REDIS_URL, ZOOKEEPER_CONNECT, DATABASE_URL or ETCD_URL. With shared-memory it is several
                        threads. Backends: memory (one process), ${lockPlaces().join(', ')}`;

const { serve, backend, processes } = readArguments();
const { urls, close } = backend === 'memory' ? await openSale() : await openProcesses(backend, processes);
try {
  if (processes > 1) {
    const { threads } = await lockPlace(backend);
    console.log(`${processes} ${threads ? 'threads' : 'processes'} sell the same seats, with locks on ${backend}`);
  }
  if (serve) await serveByHand(urls);
  else process.exitCode = await compare(urls);
} finally {
  await close();
}

function readArguments(): { serve: boolean; backend: string; processes: number } {
  try {
    const { values } = parseArgs({
      options: {
        serve: { type: 'boolean', default: false },
        backend: { type: 'string', default: 'memory' },
        processes: { type: 'string' },
      },
    });
    const { serve, backend } = values;
    const processes = Number(values.processes ?? (backend === 'memory' ? 1 : 4));
    if (!['memory', ...lockPlaces()].includes(backend)) throw new Error(`there is no backend ${backend}`);
    if (!Number.isInteger(processes) || processes < 1 || processes > 32) throw new Error('1 to 32 processes');
    if (backend === 'memory' && processes > 1) throw new Error('locks in memory hold within one process');
    return { serve, backend, processes };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** 0 if the lock made the difference: the locked sale is exact, and the unlocked one is not. */
async function compare(urls: readonly string[]): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const variant of ['unlocked', 'locked'] as const) {
    const rush: Rush = { urls, variant, seats: 100, buyers: 500 };
    outcomes.push(await runRush(rush, progressOf(rush)));
  }
  console.log(`\n${tableOf(outcomes)}\n`);

  const [unlocked, locked] = outcomes.map(faultIn);
  if (locked !== undefined) console.error(`FAILED: with the lock, ${locked}.`);
  if (unlocked === undefined) console.error('FAILED: without the lock nothing went wrong, so this run shows nothing.');
  if (locked !== undefined || unlocked === undefined) return 1;
  console.log(`Without the lock, ${unlocked}.\nWith it, the same code sold every seat once.`);
  return 0;
}

async function serveByHand(urls: readonly string[]): Promise<void> {
  const [event, ...others] = urls.map((url) => `${url}/events/concert`);
  // Of several processes, curl asks all.
  const anywhere = others.length > 0 ? `{${[event, ...others].join(',')}}` : event;
  const seatsSoldTwice = `2>/dev/null | grep -o '"seat":[0-9]*' | sort | uniq -cd`;
  await fetch(event!, { method: 'PUT', body: new URLSearchParams({ seats: '20' }) });
  console.log(`The locks are shown at ${urls[0]}/locks, under a gentle load, until you press Ctrl+C.

20 seats of a concert are on sale as well. Try:

  curl ${event}
  curl -d buyer=ann ${event}/tickets/locked

  # 25 buyers at once. Shown are the seats that more than one of them has a ticket for, first without the lock:
  curl -X PUT -d seats=20 ${event}
  curl -sZ --parallel-immediate -d '' '${anywhere}/tickets/unlocked?[1-25]' ${seatsSoldTwice}
  curl -X PUT -d seats=20 ${event}
  curl -sZ --parallel-immediate -d '' '${anywhere}/tickets/locked?[1-25]' ${seatsSoldTwice}`);
  const load = startGentleLoad(urls);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await load.stop();
}
