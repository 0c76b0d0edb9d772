import { type LockBackend, type LockEvent, LockManager } from '../../../lib/core/index.js';
import { Link } from './link.js';
import { type Nature } from './nature.js';
import { Machine } from './simulation.js';

export interface Process {
  readonly name: string;
  readonly machine: Machine;
  readonly link: Link;
  readonly locks: LockManager;
}

/** Two clocks may drift apart by 1 % of a lease, and no further. */
const MOST_DRIFT = 0.0099;

export function startProcess(nature: Nature, behind: LockBackend, name: string): Process {
  const { simulation, dice, tally } = nature;
  const machine = new Machine(simulation, dice, 1 + dice.oneOf(-1, 1) * MOST_DRIFT);
  const link = new Link(nature, machine, behind);
  const options = {
    backend: link,
    leaseMs: dice.oneOf(100, 300, 500),
    waitMs: 2_000,
    localHandOffs: dice.oneOf(0, 1, 3, 16),
    drainMs: 500,
  };
  const id = (): string => `${name}-${dice.below(2 ** 32)}`;
  const locks = new LockManager(options, { clock: machine, random: { id, fraction: () => dice.fraction() } });
  const process = { name, machine, link, locks };
  const listener = ({ type }: LockEvent): void => {
    if (type === 'handed-over') tally.handedOver += 1;
    if (type === 'queued') temptFate(process, nature, 0.1);
  };
  if (dice.chance(0.7)) locks.subscribe(listener);
  return process;
}

/** One of the things that happen to processes. */
export function strike({ machine, link }: Process, { dice, tally }: Nature): void {
  tally.disturbances += 1;
  const how = dice.oneOf('stall', 'doze', 'sleep', 'set the wall clock', 'cut', 'cut', 'cut');
  if (how === 'stall') machine.stall(dice.oneOf(20, 120, 400, 1_200));
  // Too short to be told from drift.
  if (how === 'doze') machine.suspend(4);
  if (how === 'sleep') machine.suspend(dice.oneOf(200, 1_500));
  if (how === 'set the wall clock') machine.setWall(dice.oneOf(-5_000, 30, 5_000));
  // Connections often do not survive a pause.
  if (how === 'cut' || (!machine.awake && dice.chance(0.5))) link.cut(dice.oneOf(100, 400, 1_200, 2_500));
}

/** Trouble comes when it is least welcome. */
export function temptFate(process: Process, nature: Nature, probability: number): void {
  if (nature.simulation.time < nature.faultyUntil && nature.dice.chance(probability)) strike(process, nature);
}
