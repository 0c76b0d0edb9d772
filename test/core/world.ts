import { type LockEvent, LockManager, type LockManagerOptions } from '../../lib/core/index.js';
import { type Claim, type ClaimRequest, type LockBackend, type Place } from '../../lib/core/backend.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { VirtualClock } from './virtual-clock.js';

type Call = 'attempt' | 'renew' | 'withdraw';

/** What becomes of a call: done and answered (when the promise resolves), done with the answer lost, not done, or never answered. */
export type Fate = 'answered' | Promise<void> | 'reply lost' | 'not sent' | 'hangs';

/** A real backend behind a bad network: decides the fate of every call, and keeps count of them. */
export class Network implements LockBackend {
  readonly name = 'memory';
  readonly calls: Call[] = [];
  /** Asked for every call. */
  fate: (call: Call) => Fate = () => 'answered';
  /** Whether wakes get through. */
  wakes = true;

  constructor(private readonly behind: LockBackend) {}

  claim(request: ClaimRequest): Claim {
    const claim = this.behind.claim(request);
    return {
      attempt: (options) => this.send('attempt', () => claim.attempt(options)),
      renew: () => this.send('renew', () => claim.renew()),
      withdraw: () => this.send('withdraw', () => claim.withdraw()),
      watch: (wake) => claim.watch!((standing) => this.wakes && wake(standing)),
    };
  }

  inspect(key: string): Promise<readonly Place[]> {
    return this.behind.inspect(key);
  }

  list(options?: { readonly prefix?: string }): AsyncIterable<string> {
    return this.behind.list(options);
  }

  evict(key: string, id: string): Promise<boolean> {
    return this.behind.evict(key, id);
  }

  count(call: Call): number {
    return this.calls.filter((each) => each === call).length;
  }

  private async send<T>(call: Call, execute: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    const fate = this.fate(call);
    if (fate === 'not sent') throw new Error('connection refused');
    const answer = await execute();
    if (fate instanceof Promise) await fate;
    if (fate === 'reply lost') throw new Error('connection reset');
    if (fate === 'hangs') return new Promise<T>(() => undefined);
    return answer;
  }
}

/** A memory backend on a virtual clock, and managers on it, each behind a network of its own, as processes are. */
export class World {
  readonly clock = new VirtualClock();
  readonly memory = new MemoryBackend({ clock: this.clock });

  process(options: Partial<LockManagerOptions> = {}): Process {
    const network = new Network(this.memory);
    const locks = new LockManager({ backend: network, ...options }, { clock: this.clock });
    const events: LockEvent[] = [];
    locks.subscribe((event) => events.push(event));
    return { locks, network, events };
  }

  /** Who stands in the line of a key, whoever they belong to. */
  async line(key: string): Promise<number> {
    return (await this.memory.inspect(key)).length;
  }

  /** Whoever stands in the line of a key is gone from the store, as after a failover. */
  async vanish(key: string): Promise<void> {
    for (const { id, slots } of await this.memory.inspect(key)) {
      await this.memory.claim({ key, id, slots, leaseMs: 1_000 }).withdraw();
    }
  }

  /** Resolves when so much time has passed. */
  after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.alarm(ms, resolve));
  }
}

/** What a manager keeps of those who want something of it. */
export interface Remains {
  readonly timers: number;
  readonly lines: number;
  readonly runs: number;
  readonly leaving: number;
}

export const NOTHING: Remains = { timers: 0, lines: 0, runs: 0, leaving: 0 };

/** What is left inside a manager. NOTHING, once nobody wants anything of it. */
export function remains(locks: LockManager): Remains {
  const { context, lines, runs } = locks as unknown as Internals;
  return { timers: context.timers.size, lines: lines.size, runs: runs.size, leaving: context.leaving.size };
}

interface Internals {
  readonly context: { readonly timers: { readonly size: number }; readonly leaving: ReadonlySet<unknown> };
  readonly lines: ReadonlyMap<string, unknown>;
  readonly runs: ReadonlySet<unknown>;
}

export interface Process {
  readonly locks: LockManager;
  readonly network: Network;
  readonly events: LockEvent[];
}

/** What became of a promise so far. */
export function outcome<T>(promise: Promise<T>): {
  state: 'pending' | 'fulfilled' | 'rejected';
  value?: T;
  error?: unknown;
} {
  const result: ReturnType<typeof outcome<T>> = { state: 'pending' };
  promise.then(
    (value) => Object.assign(result, { state: 'fulfilled', value }),
    (error: unknown) => Object.assign(result, { state: 'rejected', error }),
  );
  return result;
}
