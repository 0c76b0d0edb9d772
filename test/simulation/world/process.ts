import { type LockBackend, type LockEvent, LockManager } from '../../../lib/core/index.js';
import { type Family, type Store } from '../families/family.js';
import { type Fault } from '../history.js';
import { Machine } from '../kernel/machine.js';
import { type Nature } from './nature.js';
import { Network } from './network.js';
import { Recorder } from './recorder.js';

export interface Process {
  readonly name: string;
  readonly family: Family;
  readonly machine: Machine;
  readonly network: Network;
  readonly backend: LockBackend;
  readonly locks: LockManager;
}

export function startProcess(nature: Nature, family: Family, store: Store, name: string): Process {
  const { simulation, dice, history } = nature;
  const machine = new Machine(simulation, dice, 1 + dice.oneOf(-1, 1, 2 * dice.fraction() - 1) * family.drift);
  const network = new Network(nature, machine, name, family);
  const random = { id: () => `${dice.below(2 ** 32)}-${name.replaceAll(' ', '-')}`, fraction: () => dice.fraction() };
  const backend = new Recorder(store.connect({ process: name, machine, network, random }), name, machine, history);
  const localHandOffs = dice.oneOf(0, 1, 3, 16);
  const options = {
    backend,
    leaseMs: dice.oneOf(...family.leasesMs),
    waitMs: 2_000,
    localHandOffs,
    retainMs: localHandOffs === 0 ? 0 : nature.pace * dice.oneOf(0, 0, 20, 300, 3_000),
    drainMs: 500,
  };
  const locks = new LockManager(options, { clock: machine, random });
  const process = { name, family, machine, network, backend, locks };
  if (dice.chance(0.7)) {
    locks.subscribe(({ type }: LockEvent) => {
      if (type === 'queued') temptFate(process, nature, 0.1);
    });
  }
  machine.woke = () => history.record('woke', { process: name, now: machine.now() });
  history.record('started', { process: name, latencyMs: network.latencyMs });
  return process;
}

/** One of the things that happen to processes. */
export function strike(process: Process, nature: Nature): void {
  const { dice, pace } = nature;
  const { machine, network } = process;
  if (machine.dead) return;
  const fault = dice.oneOf<Fault>('stall', 'doze', 'sleep', 'wall clock set', 'cut', 'cut', 'cut');
  nature.history.record('fault', { fault, process: process.name });
  if (fault === 'stall') machine.stall(pace * dice.oneOf(20, 120, 400, 1_200));
  // Too short to be told from drift.
  if (fault === 'doze') machine.suspend(4);
  if (fault === 'sleep') machine.suspend(pace * dice.oneOf(200, 1_500));
  if (fault === 'wall clock set') machine.setWall(dice.oneOf(-5_000, 30, 5_000));
  // Connections often do not survive a pause.
  if (fault === 'cut' || (!machine.awake && dice.chance(0.5))) network.cut(pace * dice.oneOf(100, 400, 1_200, 2_500));
}

/** Trouble comes when it is least welcome. */
export function temptFate(process: Process, nature: Nature, probability: number): void {
  if (nature.simulation.time < nature.faultyUntil && nature.dice.chance(probability)) strike(process, nature);
}
