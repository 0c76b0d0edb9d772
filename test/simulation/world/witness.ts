import { type Lock, type LockLostError } from '../../../lib/core/index.js';
import { type Nature } from './nature.js';
import { type Process } from './process.js';
import { Resource } from './resource.js';

/** Somebody who was given a lock and has not given it back. */
export interface Believer {
  readonly caller: string;
  readonly process: Process;
  readonly lock: Lock;
  readonly signal: AbortSignal;
  readonly slots: number;
}

/** Sees what the callers of all processes see of their locks, and writes it down. */
export class Witness {
  private readonly believers = new Map<string, Set<Believer>>();
  private readonly resources = new Map<string, Resource>();

  constructor(private readonly nature: Nature) {}

  given(caller: string, process: Process, lock: Lock, slots: number): Believer {
    const { history } = this.nature;
    const { signal, waitedMs } = lock;
    const believer = { caller, process, lock, signal, slots };
    signal.addEventListener('abort', () => this.told(believer), { once: true });
    const { held } = lock;
    const lostBy = (signal.reason as LockLostError | undefined)?.reason;
    for (const [key, token] of lock.fencingTokens) {
      const facts = { caller, process: process.name, key, slots, token, waitedMs, held, lostBy };
      history.record('given', { ...facts, clocksInOrder: process.machine.inOrder });
      if (!this.believers.has(key)) this.believers.set(key, new Set());
      this.believers.get(key)!.add(believer);
    }
    return believer;
  }

  givesBack(believer: Believer): void {
    const { caller, lock, signal } = believer;
    this.nature.history.record('givenBack', { caller, lost: signal.aborted });
    for (const key of lock.keys) this.believers.get(key)!.delete(believer);
  }

  look({ caller, process, lock, signal, slots }: Believer): void {
    const { machine, name } = process;
    const told = signal.aborted;
    const { held } = lock;
    const facts = { caller, process: name, slots, now: machine.now(), held, told, clocksInOrder: machine.inOrder };
    for (const key of lock.keys) this.nature.history.record('looked', { ...facts, key });
  }

  /** It may have been on its way for a while, and the lock be lost by now. */
  writes({ caller, lock }: Believer, onItsWayMs: number): void {
    const { simulation, history } = this.nature;
    // Read when it is sent. The resource has no other proof.
    const tokens = [...lock.fencingTokens];
    simulation.at(simulation.time + onItsWayMs, () => {
      for (const [key, token] of tokens) {
        if (!this.resources.has(key)) this.resources.set(key, new Resource());
        history.record('written', { caller, key, accepted: this.resources.get(key)!.write(token) });
      }
    });
  }

  /** Looks only where there is reason to: by looking, a loss is told that nothing else may have told. */
  compare(): void {
    for (const all of this.believers.values()) {
      this.lookOnWaking(all);
      if (all.size < 2) continue;
      const untold = [...all].filter(({ process, signal }) => process.machine.awake && !signal.aborted);
      if (untold.some(({ slots }) => slots < untold.length)) for (const each of untold) this.look(each);
    }
  }

  /** Before any timer could tell it. */
  private lookOnWaking(believers: ReadonlySet<Believer>): void {
    for (const believer of believers) {
      if (believer.process.machine.wakesUp && this.nature.dice.chance(0.5)) this.look(believer);
    }
  }

  private told({ caller, process, signal, lock }: Believer): void {
    const { key = lock.key, reason } = signal.reason as LockLostError;
    this.nature.history.record('told', { caller, process: process.name, key, now: process.machine.now(), reason });
  }
}
