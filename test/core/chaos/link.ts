import { type Claim, type ClaimRequest, type LockBackend, type Place } from '../../../lib/core/index.js';
import { type Nature } from './nature.js';
import { type Machine } from './simulation.js';

type Call = 'attempt' | 'renew' | 'withdraw';
type Wake = Parameters<NonNullable<Claim['watch']>>[0];

/** 'never answered' is done, 'swallowed' is not; of neither anything is heard again. */
type Fate = 'answered' | 'slow' | 'reply lost' | 'not sent' | 'never answered' | 'swallowed';

const LATEST_WAKE_MS = 3_000;

/** The way from one process to the backend: calls and wakes take their time, and some do not arrive. */
export class Link implements LockBackend {
  readonly name = 'memory';
  private readonly latencyMs: number;
  private readonly faultRate: number;
  private readonly wakeLossRate: number;
  private cutUntil = 0;
  private closed = false;
  private faults = 0;
  private underWay = 0;

  constructor(
    private readonly nature: Nature,
    private readonly machine: Machine,
    private readonly behind: LockBackend,
  ) {
    const { dice } = nature;
    this.latencyMs = dice.oneOf(0, 1, 1, 5, 30);
    this.faultRate = dice.oneOf(0, 0.02, 0.1, 0.3);
    this.wakeLossRate = dice.oneOf(0, 0, 0.3, 1);
  }

  claim(request: ClaimRequest): Claim {
    const claim = this.behind.claim(request);
    const order = new OrderOfCalls(this.nature, this.machine, request);
    return {
      attempt: (options) => {
        if (this.closed) this.nature.problem('an attempt after the backend was closed');
        return this.send('attempt', order, () => claim.attempt(options));
      },
      renew: () => this.send('renew', order, () => claim.renew()),
      withdraw: () => this.send('withdraw', order, () => claim.withdraw()),
      watch: (wake) => this.watch(claim, wake),
    };
  }

  inspect(key: string): Promise<readonly Place[]> {
    return this.behind.inspect(key);
  }

  async close(): Promise<void> {
    // Unless they were waited for in vain.
    const inTime = this.faults === 0 && this.machine.inOrder && this.machine.runsSince(0);
    if (inTime && this.underWay > 0) this.nature.problem(`closed with ${this.underWay} calls under way`);
    this.closed = true;
  }

  /** No call gets through for a while. Wakes do. */
  cut(ms: number): void {
    this.cutUntil = this.nature.simulation.time + ms;
  }

  private async send<T>(call: Call, order: OrderOfCalls, execute: () => Promise<T>): Promise<T> {
    const { dice } = this.nature;
    const fate = this.fate();
    const slower = fate === 'slow' ? 100 : 1;
    const [thereMs, backMs] = [dice.fraction(), dice.fraction()].map((part) => part * this.latencyMs * slower);
    const ended = order.begin(call);
    this.underWay += 1;
    try {
      if (fate === 'swallowed') await never();
      if (fate === 'not sent') {
        await this.passes(thereMs!);
        throw new Error('connection refused');
      }
      const answer = await order.inTurn(thereMs!, execute);
      if (fate === 'never answered') await never();
      await this.passes(backMs!);
      if (fate === 'reply lost') throw new Error('connection reset');
      return answer;
    } finally {
      this.underWay -= 1;
      ended();
    }
  }

  private fate(): Fate {
    const { dice, faultyUntil, simulation, tally } = this.nature;
    const { time } = simulation;
    if (time >= faultyUntil) return 'answered';
    const cut = time < this.cutUntil;
    if (!cut && !dice.chance(this.faultRate)) return 'answered';
    tally.faults += 1;
    this.faults += 1;
    if (cut) return dice.oneOf<Fate>('not sent', 'swallowed');
    return dice.oneOf<Fate>('slow', 'reply lost', 'not sent', 'never answered', 'swallowed');
  }

  /** Until a reply is here that takes so long, and is noticed. */
  private async passes(ms: number): Promise<void> {
    const { simulation } = this.nature;
    if (ms === 0 && this.machine.awake) return;
    await new Promise<void>((resolve) => {
      simulation.at(simulation.time + ms, () => this.machine.whenAwake(resolve));
    });
  }

  private watch(claim: Claim, wake: Wake): () => void {
    const { dice, faultyUntil, simulation, tally } = this.nature;
    let watched = true;
    const unwatch = claim.watch!((standing) => {
      if (dice.chance(this.wakeLossRate)) return;
      const stale = simulation.time < faultyUntil && dice.chance(0.2);
      if (stale) tally.staleWakes += 1;
      const delayMs = dice.fraction() * (stale ? LATEST_WAKE_MS : this.latencyMs);
      const word = dice.chance(0.2) ? undefined : standing;
      const times = dice.chance(0.1) ? 2 : 1;
      for (let time = 1; time <= times; time += 1) {
        void this.passes(time * delayMs).then(() => watched && wake(word));
      }
    });
    return () => {
      watched = false;
      unwatch();
    };
  }
}

/** The calls of one claim take effect in the order in which they were sent. Sees to what a backend may rely on. */
class OrderOfCalls {
  private lastDoneAt = 0;
  private withdrawn = false;
  private latest: { readonly call: Call; readonly sentAt: number } | undefined;

  constructor(
    private readonly nature: Nature,
    private readonly machine: Machine,
    private readonly request: ClaimRequest,
  ) {}

  /** What it returns tells that the call has ended. */
  begin(call: Call): () => void {
    const { problem } = this.nature;
    const { key, leaseMs } = this.request;
    const sentAt = this.machine.now();
    if (this.withdrawn && call !== 'withdraw') problem(`${call} of ${key} after a withdrawal`);
    this.withdrawn ||= call === 'withdraw';
    // A call that was not answered in time counts as lost. For a renewal it depends on what was left of the lease.
    if (this.latest !== undefined && this.latest.call !== 'renew') {
      const waitedMs = sentAt - this.latest.sentAt;
      const tooSoon = waitedMs < Math.min(leaseMs, 5_000) - 0.001;
      if (tooSoon) problem(`${call} of ${key} ${waitedMs} ms after ${this.latest.call}, which was under way`);
    }
    const begun = { call, sentAt };
    this.latest = begun;
    return () => {
      if (this.latest === begun) this.latest = undefined;
    };
  }

  inTurn<T>(thereMs: number, execute: () => Promise<T>): Promise<T> {
    const { simulation } = this.nature;
    const due = simulation.time + thereMs;
    this.lastDoneAt = due > this.lastDoneAt ? due : this.lastDoneAt;
    return new Promise((resolve) => {
      simulation.at(this.lastDoneAt, () => resolve(execute()));
    });
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
