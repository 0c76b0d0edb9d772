import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.js';
import { type Fault } from './site.js';
import { type Worker } from './worker.js';
import { type World } from './world.js';

const HOUR_S = 3_600;

/** Long enough for somebody else to come and go. What the process then writes is of old. */
export const theHolderIsStopped: Fault = {
  name: 'a process that holds a lock is stopped for more than two leases',
  inject: async (world) => {
    const worker = await stopsAHolder(world);
    await world.lasts(2.5, 3);
    worker.resume();
  },
};

/** What can befall a process. */
export const processFaults: readonly Fault[] = [
  theHolderIsStopped,
  {
    name: 'a process is killed',
    inject: async (world) => world.replace(world.someone),
  },
  {
    name: 'a process is stopped for less than a lease',
    inject: async (world) => stopped(world, 0.2, 0.8),
  },
  {
    name: 'a process is stopped for more than a lease',
    inject: async (world) => stopped(world, 1.2, 3),
  },
  {
    name: 'an event loop is blocked for more than a lease',
    inject: async (world) => {
      const forMs = world.leases(1.2, 1.6);
      world.someone.block(forMs);
      await world.lasts(1.6);
    },
  },
  {
    name: 'the wall clock of a process is set forward and back',
    inject: async (world) => clockSet(world, HOUR_S),
  },
  {
    name: 'the wall clock of a process is set back and forward',
    inject: async (world) => clockSet(world, -HOUR_S),
  },
];

function stopsAHolder(world: World): Promise<Worker> {
  return until('a process is stopped while it holds a lock', async () => {
    const [worker] = world.holders;
    if (worker === undefined) return undefined;
    worker.pause();
    // What it had sent before has arrived by now.
    await sleep(50);
    if (world.holders.includes(worker)) return worker;
    worker.resume();
    return undefined;
  });
}

async function stopped(world: World, from: number, to: number): Promise<void> {
  const worker = world.someone;
  worker.pause();
  await world.lasts(from, to);
  worker.resume();
}

async function clockSet(world: World, offset: number): Promise<void> {
  const { clock } = world.someone;
  clock.move(offset);
  await world.lasts(0.5, 1.5);
  clock.move(0);
}
