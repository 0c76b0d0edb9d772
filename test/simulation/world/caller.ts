import {
  type AcquireOptions,
  isLockError,
  type Keys,
  type Lock,
  LockLostError,
  LockUnavailableError,
  type RunOptions,
} from '../../../lib/core/index.js';
import { type Nature } from './nature.js';
import { type Process, temptFate } from './process.js';
import { type Believer, type Witness } from './witness.js';

type Kind = 'acquire' | 'try' | 'run' | 'enter again';

const OWN = new Error("a body's own");
const LATEST_WRITE_MS = 400;

/** One caller: what it wants, how long it works, and how it ends. */
export class Caller {
  private readonly kind: Kind;
  private readonly keys: Keys;
  private readonly slots: number;
  private readonly options: AcquireOptions;
  private readonly workMs: number;
  private readonly abort: AbortController | undefined;
  private abortedAt = Infinity;

  constructor(
    private readonly nature: Nature,
    private readonly witness: Witness,
    private readonly process: Process,
    private readonly name: string,
    private readonly calm: boolean,
  ) {
    const { dice, pace } = nature;
    this.kind = dice.oneOf<Kind>('acquire', 'try', 'run', 'run', 'enter again');
    const several = ['a', 'b', 'c'].filter(() => dice.chance(0.6));
    this.keys = several.length > 0 && dice.chance(0.2) ? several : dice.oneOf('a', 'a', 'b');
    this.slots = dice.oneOf(1, 1, 1, 1, 2, Infinity);
    this.workMs = pace * dice.oneOf(0, 1, 10, 50, 400, 1_000);
    this.abort = dice.chance(0.3) ? new AbortController() : undefined;
    this.options = {
      mode: this.slots === 1 ? 'exclusive' : this.slots === 2 ? { limit: 2 } : 'shared',
      waitMs: pace * dice.oneOf(0, 20, 300, 2_000, Infinity, Infinity),
      ...(dice.chance(0.2) && { leaseMs: dice.oneOf(...process.family.leasesMs) }),
      ...(dice.chance(0.1) && { maxHoldMs: dice.oneOf(1, 50, 800) }),
      ...(this.abort !== undefined && { signal: this.abort.signal }),
    };
  }

  async call(): Promise<void> {
    const { simulation, dice, history } = this.nature;
    const { waitMs } = this.options;
    const keys = [this.keys].flat();
    history.record('asked', { caller: this.name, process: this.process.name, keys, waitMs: waitMs!, calm: this.calm });
    const abort = (): void => {
      this.abortedAt = simulation.time;
      this.abort!.abort(this.abort);
    };
    const abortAt = simulation.time + dice.fraction() * 600;
    if (this.abort !== undefined) simulation.at(abortAt, () => this.process.machine.whenAwake(abort));
    try {
      await this.acquire();
    } catch (error) {
      this.refused(error);
    }
  }

  private async acquire(): Promise<void> {
    const { process, options, keys } = this;
    const { dice } = this.nature;
    if (this.kind === 'run' || this.kind === 'enter again') {
      const runOptions: RunOptions = {
        ...options,
        onLost: dice.oneOf('throw', 'ignore'),
        ...(options.maxHoldMs === undefined && dice.chance(0.15) && { minHoldMs: dice.oneOf(10, 200) }),
      };
      await process.locks.run(keys, runOptions, (lock) => this.work(lock));
      return;
    }
    const wanted = this.kind === 'try' ? process.locks.tryAcquire : process.locks.acquire;
    const lock = await wanted.call(process.locks, keys, options);
    if (lock === null) {
      this.refused(new LockUnavailableError(String(keys), { waitedMs: 0, ahead: 1 }));
      return;
    }
    const releaseTwice = dice.chance(0.2);
    try {
      await this.work(lock);
    } finally {
      if (releaseTwice) void lock.release();
      await lock.release();
      // Some let go twice, much later, when it is somebody else's.
      if (dice.chance(0.2)) void process.machine.after(dice.fraction() * 300).then(() => lock.release());
    }
  }

  private async work(lock: Lock): Promise<void> {
    const { dice } = this.nature;
    const { machine } = this.process;
    const believer = this.witness.given(this.name, this.process, lock, this.slots);
    const peril = this.workMs < 400 * this.nature.pace ? 0.04 : 0.15;
    try {
      for (let part = 0; part < 3; part += 1) {
        temptFate(this.process, this.nature, peril);
        await machine.after(this.workMs / 3);
        if (dice.chance(0.5)) this.witness.look(believer);
        if (dice.chance(0.5)) this.writes(believer);
      }
      temptFate(this.process, this.nature, peril);
      if (this.kind === 'enter again') await this.enterAgain(lock);
    } finally {
      this.witness.givesBack(believer);
    }
    if (dice.chance(0.1)) await lock.release();
    // A write that nobody waited for.
    if (dice.chance(0.1)) void machine.after(dice.fraction() * 100).then(() => this.writes(believer));
    if (dice.chance(0.1)) throw OWN;
  }

  private writes(believer: Believer): void {
    const { dice } = this.nature;
    this.witness.writes(believer, dice.chance(0.3) ? dice.fraction() * LATEST_WRITE_MS : 0);
  }

  /** Siblings that enter the lock which their call chain holds, one at a time. */
  private async enterAgain(lock: Lock): Promise<void> {
    const { dice, history } = this.nature;
    const { locks, machine } = this.process;
    const { mode = 'exclusive' } = this.options;
    const caller = this.name;
    const body = async (): Promise<void> => {
      history.record('entered', { caller });
      await machine.after(dice.oneOf(0, 5, 30));
      history.record('leftAgain', { caller });
    };
    const waitMs = dice.oneOf(0, 30, Infinity);
    const siblings = [0, 1, 2].map(() => {
      return locks.run(lock.keys[0]!, { reentrant: true, waitMs, mode: dice.oneOf('shared', mode) }, body);
    });
    for (const result of await Promise.allSettled(siblings)) {
      if (result.status === 'rejected' && !isLockError(result.reason)) this.refused(result.reason);
    }
  }

  private refused(error: unknown): void {
    const { history, simulation } = this.nature;
    const caller = this.name;
    if (error === OWN) return;
    if (error === this.abort) return history.record('aborted', { caller, lateMs: simulation.time - this.abortedAt });
    const code = isLockError(error) ? error.code : 'none of ours';
    const suspect = error instanceof LockLostError && error.reason === 'clock-suspect';
    history.record('refused', {
      caller,
      code,
      suspect,
      clocksInOrder: this.process.machine.inOrder,
      text: String(error),
    });
  }
}
