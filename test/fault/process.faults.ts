import { type Fault } from './site.js';
import { type World } from './world.js';

const HOUR_S = 3_600;

/** What can befall a process. */
export const processFaults: readonly Fault[] = [
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

/** Stopped until somebody else may have the lock, and more. */
export const theHolderIsStopped: Fault = {
  name: 'the holder of a lock is stopped for more than a lease',
  inject: async (world) => stopped(world, 2.5, 3, world.holder),
};

async function stopped(world: World, from: number, to: number, worker = world.someone): Promise<void> {
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
