import { mutexCase } from '../conformance-case.js';

/** How a claim gets out of the line, and that nobody else goes with it. */
export const leavingCases = [
  mutexCase('withdrawing is done once, and told apart from having left before', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    await holder.holds();
    await waiter.waits(1);
    await waiter.leaves();
    await waiter.hasLeft();
    await holder.leaves();
    await holder.hasLeft();
    await trial.lineIs(key);
  }),

  mutexCase('a claim that never joined withdraws nobody', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    await trial.claim(here, key).hasLeft();
    await holder.holds();
    await waiter.waits(1);
    for (const client of [here, there]) await trial.claim(client, key).hasLeft();
    await trial.lineIs(key, holder, waiter);
    await holder.renews();
    await waiter.waits(1);
  }),

  mutexCase('a waiter that withdraws leaves the holder in', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const holder = trial.claim(here, key);
    const waiter = trial.claim(there, key);
    await holder.holds();
    await waiter.waits(1);
    await waiter.leaves();
    await trial.lineIs(key, holder);
    await trial.claim(there, key).isRefused();
    await holder.renews();
    await holder.leaves();
  }),

  mutexCase('a holder that withdraws again does not take the next holder with it', async (trial) => {
    const key = await trial.mutexKey();
    const [here, there] = await trial.connectTwo();
    const first = trial.claim(here, key);
    const second = trial.claim(there, key);
    await first.holds();
    await second.waits(1);
    await first.leaves();
    await second.holds();
    await first.hasLeft();
    await trial.lineIs(key, second);
    await trial.claim(here, key).isRefused();
    await second.leaves();
  }),

  mutexCase(
    'a withdrawal that follows an attempt without waiting for its answer leaves nothing behind',
    async (trial) => {
      const key = await trial.mutexKey();
      const [here, there] = await trial.connectTwo();
      for (let times = 0; times < 5; times += 1) await trial.claim(here, key).joinsAndLeavesInOneBreath();
      await trial.lineIs(key);
      const holder = trial.claim(there, key);
      await holder.holds();
      for (let times = 0; times < 5; times += 1) await trial.claim(here, key).joinsAndLeavesInOneBreath();
      await trial.lineIs(key, holder);
      await holder.renews();
    },
  ),
];
