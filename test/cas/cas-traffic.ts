import { setTimeout as sleep } from 'node:timers/promises';
import { CasBackend } from '../../lib/cas/index.js';
import { type Lock, LockManager, type LockMode } from '../../lib/core/index.js';
import { until } from '../support/until.js';
import { type Hold, monotonicMs, violations } from './cas-history.js';
import { type OpenStore } from './cas-stores.js';

const MODES: readonly (readonly [LockMode, number])[] = [
  ['exclusive', 1],
  ['shared', Infinity],
  [{ limit: 2 }, 2],
  ['exclusive', 1],
];

/** Managers with a store each, as processes have, whose callers want one key over and over until they are stopped. */
export class Traffic {
  /** What went wrong, with what made it so. */
  readonly errors: Error[] = [];
  /** Of each manager. */
  private readonly holds: readonly Hold[][];
  private readonly callers: Promise<void>[];
  private readonly managers: LockManager[];
  private stopped = false;

  constructor(private readonly stores: readonly OpenStore[]) {
    this.managers = stores.map(({ store }) => {
      return new LockManager({ backend: new CasBackend({ store }), leaseMs: 2_000, waitMs: 1_500, drainMs: 2_000 });
    });
    this.holds = stores.map(() => []);
    this.callers = this.managers.flatMap((manager, index) => {
      return MODES.map((mode) => this.call(manager, mode, this.holds[index]!));
    });
  }

  get locks(): number {
    return this.holds.flat().length;
  }

  get violations(): string[] {
    return violations(this.holds.flat());
  }

  /** Resolves when everybody has had so many more locks. */
  async moves(locks = 8): Promise<void> {
    const before = this.holds.map((holds) => holds.length);
    const all = (): boolean => this.holds.every((holds, index) => holds.length >= before[index]! + locks);
    await until(`everybody has had ${locks} more locks`, all, 60_000);
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await Promise.all(this.callers);
    await Promise.all(this.managers.map((manager) => manager.close()));
    await Promise.all(this.stores.map((each) => each.close()));
  }

  /** However a test ends, what it began ends with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async call(manager: LockManager, [mode, slots]: (typeof MODES)[number], holds: Hold[]): Promise<void> {
    while (!this.stopped) {
      try {
        const lock = await manager.acquire('traffic', { mode });
        holds.push(await holding(lock, slots));
        await lock.release();
      } catch (error) {
        this.errors.push(error as Error);
        await sleep(20);
      }
    }
  }
}

/** For a few ms, and no longer than it is sure to be held. */
async function holding(lock: Lock, slots: number): Promise<Hold> {
  const from = monotonicMs();
  let to = from;
  for (let step = 0; step < 3; step += 1) {
    await sleep(1);
    const now = monotonicMs();
    if (lock.held) to = now;
  }
  return { from, to, slots, token: lock.fencingToken };
}
