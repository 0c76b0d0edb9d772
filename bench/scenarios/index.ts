import { backends } from './backends.scenario.js';
import { fourProcesses } from './four-processes.scenario.js';
import { handOff } from './hand-off.scenario.js';
import { heldLocks } from './held-locks.scenario.js';
import { inProcess } from './in-process.scenario.js';
import { manyKeys } from './many-keys.scenario.js';
import { oneCaller } from './one-caller.scenario.js';
import { oneKey } from './one-key.scenario.js';
import { scaling } from './scaling.scenario.js';
import { type Scenario } from './scenario.js';
import { unheardEvents } from './unheard-events.scenario.js';
import { waitingCallers } from './waiting-callers.scenario.js';
import { zooKeeper } from './zookeeper.scenario.js';

/** In the order of the rows of the first table, and then what is for information. */
export const scenarios: readonly Scenario[] = [
  oneCaller,
  manyKeys,
  oneKey,
  fourProcesses,
  handOff,
  inProcess,
  heldLocks,
  waitingCallers,
  zooKeeper,
  unheardEvents,
  backends,
  scaling,
];
