import { memoryFamily } from '../families/memory.family.js';
import { Caller } from '../world/caller.js';
import { type PlantedBug, replaceMethod } from './planted-bug.js';

/** In the simulation itself: it must not be silent because it does nothing. */
export const harnessBugs: readonly PlantedBug[] = [
  {
    name: 'a workload that asks for nothing',
    caughtBy: 'activity',
    byNoOther: true,
    family: memoryFamily(),
    plant: () =>
      replaceMethod(Caller.prototype, 'call', () => {
        return async function () {};
      }),
  },
];
