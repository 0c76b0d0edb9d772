import { type Lock, type LockLostError } from '../../../lib/core/index.js';
import { type Nature } from './nature.js';
import { type Process } from './process.js';

/** Somebody who was given a lock and has not given it back. */
export interface Believer {
  readonly process: Process;
  readonly lock: Lock;
  readonly signal: AbortSignal;
  readonly slots: number;
}

/** Of the locks of one key that were held when they were given. */
interface Tokens {
  readonly seen: Set<bigint>;
  highest: bigint;
  exclusive: bigint;
}

/** Sees what the callers of all processes see of their locks, and compares. */
export class Witness {
  private readonly believers = new Map<string, Set<Believer>>();
  private readonly tokens = new Map<string, Tokens>();

  constructor(private readonly nature: Nature) {}

  given(process: Process, lock: Lock, slots: number): Believer {
    const { problem, tally } = this.nature;
    const { signal } = lock;
    const believer = { process, lock, signal, slots };
    tally.granted += 1;
    if (lock.waitedMs > 0) tally.waitedFor += 1;
    if (this.look(believer)) this.compareTokens(believer);
    else if ((signal.reason as LockLostError | undefined)?.reason !== 'closed') {
      problem(`${process.name} was given ${lock.key}, which is not held`);
    }
    for (const key of lock.keys) {
      if (!this.believers.has(key)) this.believers.set(key, new Set());
      this.believers.get(key)!.add(believer);
    }
    return believer;
  }

  givesBack(believer: Believer): void {
    if (believer.signal.aborted) this.nature.tally.lost += 1;
    for (const key of believer.lock.keys) this.believers.get(key)!.delete(believer);
  }

  /** Whether the lock is held now, by its own account. */
  look({ process, lock, signal }: Believer): boolean {
    const { held } = lock;
    // Clocks that were moved apart make it suspect, and no more. Otherwise it is lost, for good, and that is told.
    if (held === signal.aborted && (held || process.machine.inOrder)) {
      this.nature.problem(`${process.name}: ${lock.key} is ${held ? '' : 'not '}held, its signal says otherwise`);
    }
    return held;
  }

  /** Looks only where there is reason to: by looking, a loss is told that nothing else may have told. */
  compare(): void {
    for (const [key, all] of this.believers) {
      this.lookOnWaking(all);
      if (all.size < 2) continue;
      const untold = [...all].filter(({ process, signal }) => process.machine.awake && !signal.aborted);
      if (mayShare(untold)) continue;
      this.nature.tally.doubts += 1;
      const holders = untold.filter((each) => this.lookUntold(key, each));
      if (!mayShare(holders)) this.nature.problem(`${key} is held by ${holders.map(describe).join(' and ')}`);
    }
  }

  /** Before any timer could tell it. */
  private lookOnWaking(believers: ReadonlySet<Believer>): void {
    for (const believer of believers) {
      if (believer.process.machine.wakesUp && this.nature.dice.chance(0.5)) this.look(believer);
    }
  }

  /** Where event loop and clocks were in order, timers have told of a loss. */
  private lookUntold(key: string, believer: Believer): boolean {
    const { machine, name } = believer.process;
    const held = this.look(believer);
    const justNow = this.nature.simulation.time - 1;
    if (!held && machine.runsSince(justNow) && machine.inOrder) {
      this.nature.problem(`${name} had not been told that it lost ${key}`);
    }
    return held;
  }

  private compareTokens({ process, lock, slots }: Believer): void {
    for (const [key, token] of lock.fencingTokens) {
      const past = this.tokens.get(key) ?? { seen: new Set(), highest: -1n, exclusive: -1n };
      this.tokens.set(key, past);
      // Replies overtake each other, and so do those who share a key.
      const least = slots === 1 ? past.highest : past.exclusive;
      if (token <= least || past.seen.has(token)) {
        this.nature.problem(`${process.name} was given token ${token} of ${key} after ${least}`);
      }
      past.seen.add(token);
      if (token > past.highest) past.highest = token;
      if (slots === 1) past.exclusive = token;
    }
  }
}

function mayShare(believers: readonly Believer[]): boolean {
  return believers.every(({ slots }) => slots >= believers.length);
}

function describe({ process, lock, slots }: Believer): string {
  return `${process.name} (slots ${slots}, ${lock.remainingMs.toFixed(1)} ms left)`;
}
