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
import { type Witness } from './witness.js';

type Kind = 'acquire' | 'try' | 'run' | 'enter again';

const OWN = new Error("a body's own");

/** How long any call is waited for. A wait may end in one, and what was waited for be in doubt. */
const PATIENCE_MS = 5_000;
/** For three keys, one after the other, and then some. */
const ROUND_TRIPS_MS = 400;

/** One caller: what it wants, how long it works, and how it ends. */
export class Caller {
  private readonly kind: Kind;
  private readonly keys: Keys;
  private readonly slots: number;
  private readonly options: AcquireOptions;
  private readonly workMs: number;
  private readonly abort: AbortController | undefined;
  private calledAt = 0;
  private answered = false;
  private abortedAt = Infinity;

  constructor(
    private readonly nature: Nature,
    private readonly witness: Witness,
    private readonly process: Process,
    private readonly name: string,
  ) {
    const { dice } = nature;
    this.kind = dice.oneOf<Kind>('acquire', 'try', 'run', 'run', 'enter again');
    const several = ['a', 'b', 'c'].filter(() => dice.chance(0.6));
    this.keys = several.length > 0 && dice.chance(0.2) ? several : dice.oneOf('a', 'a', 'b');
    this.slots = dice.oneOf(1, 1, 1, 1, 2, Infinity);
    this.workMs = dice.oneOf(0, 1, 10, 50, 400, 1_000);
    this.abort = dice.chance(0.3) ? new AbortController() : undefined;
    this.options = {
      mode: this.slots === 1 ? 'exclusive' : this.slots === 2 ? { limit: 2 } : 'shared',
      waitMs: dice.oneOf(0, 20, 300, 2_000, Infinity, Infinity),
      ...(dice.chance(0.2) && { leaseMs: dice.oneOf(100, 500, 5_000) }),
      ...(dice.chance(0.1) && { maxHoldMs: dice.oneOf(1, 50, 800) }),
      ...(this.abort !== undefined && { signal: this.abort.signal }),
    };
  }

  async call(): Promise<void> {
    const { simulation, dice } = this.nature;
    this.calledAt = simulation.time;
    const abort = (): void => {
      this.abortedAt = simulation.time;
      this.abort!.abort(this.abort);
    };
    const abortAt = this.calledAt + dice.fraction() * 600;
    if (this.abort !== undefined) simulation.at(abortAt, () => this.process.machine.whenAwake(abort));
    try {
      await this.acquire();
    } catch (error) {
      this.judge(error, this.options.waitMs);
      this.expectPrompt(error);
    }
    this.isAnswered();
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
    if (lock === null) return;
    const releaseTwice = dice.chance(0.2);
    try {
      await this.work(lock);
    } finally {
      if (releaseTwice) void lock.release();
      await lock.release();
    }
  }

  private async work(lock: Lock): Promise<void> {
    const { dice } = this.nature;
    const { machine } = this.process;
    this.isAnswered();
    const believer = this.witness.given(this.process, lock, this.slots);
    const peril = this.workMs < 400 ? 0.04 : 0.15;
    try {
      for (let part = 0; part < 3; part += 1) {
        temptFate(this.process, this.nature, peril);
        await machine.after(this.workMs / 3);
        if (dice.chance(0.5)) this.witness.look(believer);
      }
      temptFate(this.process, this.nature, peril);
      if (this.kind === 'enter again') await this.enterAgain(lock);
    } finally {
      this.witness.givesBack(believer);
    }
    if (dice.chance(0.1)) await lock.release();
    if (dice.chance(0.1)) throw OWN;
  }

  /** Siblings that enter the lock which their call chain holds, one at a time. */
  private async enterAgain(lock: Lock): Promise<void> {
    const { dice, problem, tally } = this.nature;
    const { locks, machine } = this.process;
    const { mode = 'exclusive' } = this.options;
    let inside = 0;
    const body = async (): Promise<void> => {
      tally.entered += 1;
      if ((inside += 1) > 1) problem(`siblings of ${this.name} are in ${lock.key} together`);
      await machine.after(dice.oneOf(0, 5, 30));
      inside -= 1;
    };
    const waitMs = dice.oneOf(0, 30, Infinity);
    const siblings = [0, 1, 2].map(() => {
      return locks.run(lock.keys[0]!, { reentrant: true, waitMs, mode: dice.oneOf('shared', mode) }, body);
    });
    for (const result of await Promise.allSettled(siblings)) {
      if (result.status === 'rejected') this.judge(result.reason, waitMs);
    }
  }

  /** Given or refused: no later than a call that hangs may delay it. */
  private isAnswered(): void {
    if (this.answered) return;
    this.answered = true;
    const { faultyUntil, problem, simulation } = this.nature;
    const { waitMs = Infinity } = this.options;
    const patienceMs = this.calledAt < faultyUntil ? 2 * PATIENCE_MS : ROUND_TRIPS_MS;
    const lateMs = simulation.time - this.calledAt - 1.02 * waitMs;
    if (lateMs > patienceMs && this.process.machine.runsSince(this.calledAt)) {
      problem(`${this.name} was answered ${lateMs} ms too late`);
    }
  }

  private expectPrompt(error: unknown): void {
    const { problem, simulation } = this.nature;
    const lateMs = simulation.time - this.abortedAt;
    const prompt = lateMs === 0 || !this.process.machine.runsSince(this.abortedAt);
    if (error === this.abort && !prompt) problem(`${this.name} was told of its abort ${lateMs} ms later`);
  }

  private judge(error: unknown, waitMs?: number): void {
    const { problem, tally } = this.nature;
    if (error === OWN || error === this.abort) return;
    const odd =
      !isLockError(error) ||
      error.code === 'LOCK_CONFIG' ||
      error.code === 'LOCK_REENTRANCY' ||
      (error instanceof LockUnavailableError && waitMs === Infinity) ||
      (error instanceof LockLostError && error.reason === 'clock-suspect' && this.process.machine.inOrder);
    if (odd) problem(`${this.name} failed with ${error instanceof Error ? error.stack : String(error)}`);
    else tally.refused += 1;
  }
}
