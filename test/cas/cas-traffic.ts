import { setTimeout as sleep } from 'node:timers/promises';
import { CasBackend } from '../../lib/cas/index.js';
import { type Lock, LockManager, type LockMode } from '../../lib/core/index.js';
import { until } from '../support/redis-until.js';
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
  private readonly holds: Hold[] = [];
  private readonly callers: Promise<void>[];
  private readonly managers: LockManager[];
  private stopped = false;

  constructor(private readonly stores: readonly OpenStore[]) {
    this.managers = stores.map(({ store }) => {
      return new LockManager({ backend: new CasBackend({ store }), leaseMs: 2_000, waitMs: 1_500, drainMs: 2_000 });
    });
    this.callers = this.managers.flatMap((manager) => MODES.map((mode) => this.call(manager, mode)));
  }

  get locks(): number {
    return this.holds.length;
  }

  get violations(): string[] {
    return violations(this.holds);
  }

  /** Resolves when so many more locks were had. */
  async moves(locks = 30): Promise<void> {
    const before = this.locks;
    await until(`${locks} more locks are had`, () => this.locks >= before + locks, 60_000);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.callers);
    await Promise.all(this.managers.map((manager) => manager.close()));
    await Promise.all(this.stores.map((each) => each.close()));
  }

  private async call(manager: LockManager, [mode, slots]: (typeof MODES)[number]): Promise<void> {
    while (!this.stopped) {
      try {
        const lock = await manager.acquire('traffic', { mode });
        this.holds.push(await holding(lock, slots));
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
