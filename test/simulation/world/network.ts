import { type Family } from '../families/family.js';
import { type Fault } from '../history.js';
import { type Machine } from '../kernel/machine.js';
import { type Nature } from './nature.js';

export interface Asking {
  /** Whatever is asked in this order is done in this order. */
  readonly order?: Order;
  /** After so much silence it rejects. */
  readonly silenceMs?: number;
  /** What it asks for may still be done so much later, though it was said that nobody knows. */
  readonly lateMs?: number;
}

export class Order {
  lastDoneAt = 0;
}

const ON_CONNECTIONS = ['slow', 'reply lost', 'not sent', 'never answered', 'swallowed'] as const;
const FAULTS = [...ON_CONNECTIONS, 'done twice'] as const;
const LATEST_MESSAGE_MS = 3_000;

/** The way from one process to the store and back: all takes its time, and some does not arrive. */
export class Network {
  readonly latencyMs: number;
  private readonly slower: number;
  private readonly faultRate: number;
  private readonly messageLossRate: number;
  private cutUntil = 0;

  constructor(
    private readonly nature: Nature,
    private readonly machine: Machine,
    private readonly process: string,
    { latenciesMs, slower }: Pick<Family, 'latenciesMs' | 'slower'>,
  ) {
    const { dice } = nature;
    this.slower = slower;
    this.latencyMs = dice.oneOf(...latenciesMs);
    this.faultRate = dice.oneOf(0, 0.02, 0.1, 0.3);
    this.messageLossRate = dice.oneOf(0, 0, 0.3, 1);
  }

  /** No question gets through for a while. */
  cut(ms: number): void {
    this.cutUntil = this.nature.simulation.time + ms;
  }

  get isCut(): boolean {
    return this.nature.simulation.time < this.cutUntil;
  }

  /** What is done at the other end answers. */
  async ask<T>(execute: () => Promise<T>, asking: Asking = {}): Promise<T> {
    const { dice } = this.nature;
    const fault = this.fault(asking.lateMs === undefined ? FAULTS : [...FAULTS, 'done late']);
    const slower = fault === 'slow' ? this.slower : 1;
    const thereMs = dice.fraction() * this.latencyMs * slower;
    const backMs = dice.fraction() * this.latencyMs * slower;
    if (fault === 'swallowed') return this.silence(asking);
    if (fault === 'not sent') return this.fails(thereMs, 'connection refused');
    if (fault === 'done late') {
      this.arrives(dice.fraction() * asking.lateMs!, execute, asking).catch(() => undefined);
      return this.fails(backMs, 'nobody knows');
    }
    const answer = await this.arrives(thereMs, execute, asking);
    if (fault === 'done twice') execute().catch(() => undefined);
    if (fault === 'never answered') return this.silence(asking);
    if (fault === 'reply lost') return this.fails(backMs, 'connection reset');
    await this.passes(backMs);
    return answer;
  }

  /** A message for the process: late, twice, or not at all. */
  tell(hear: () => void): void {
    const { dice, simulation, faultyUntil } = this.nature;
    if (dice.chance(this.messageLossRate)) return this.record('message lost');
    const late = simulation.time < faultyUntil && dice.chance(0.2);
    if (late) this.record('message late');
    const delayMs = dice.fraction() * (late ? LATEST_MESSAGE_MS : this.latencyMs);
    const times = dice.chance(0.1) ? 2 : 1;
    for (let time = 1; time <= times; time += 1) void this.passes(time * delayMs).then(hear);
  }

  /** What becomes of something that is sent on a connection, which keeps all in order until it breaks or goes silent. */
  passage(): { readonly fault: Fault | undefined; readonly delayMs: number } {
    const fault = this.fault(ON_CONNECTIONS);
    return { fault, delayMs: this.delayMs() * (fault === 'slow' ? this.slower : 1) };
  }

  /** How long something takes there, or back. */
  delayMs(): number {
    return this.nature.dice.fraction() * this.latencyMs;
  }

  private fault(faults: readonly Fault[]): Fault | undefined {
    const { dice, faultyUntil, simulation } = this.nature;
    if (simulation.time >= faultyUntil) return undefined;
    if (!this.isCut && !dice.chance(this.faultRate)) return undefined;
    const fault = this.isCut ? dice.oneOf<Fault>('not sent', 'swallowed') : dice.oneOf(...faults);
    this.record(fault);
    return fault;
  }

  private record(fault: Fault): void {
    this.nature.history.record('fault', { fault, process: this.process });
  }

  private async silence({ silenceMs = Infinity }: Asking): Promise<never> {
    if (silenceMs === Infinity) return new Promise(() => undefined);
    await this.machine.after(silenceMs);
    throw new Error(`no answer within ${silenceMs} ms`);
  }

  private async fails(afterMs: number, why: string): Promise<never> {
    await this.passes(afterMs);
    throw new Error(why);
  }

  private arrives<T>(thereMs: number, execute: () => Promise<T>, { order = new Order() }: Asking): Promise<T> {
    const { simulation } = this.nature;
    const due = simulation.time + thereMs;
    if (due > order.lastDoneAt) order.lastDoneAt = due;
    return new Promise((resolve, reject) => {
      // Who is dead hears of no failure, either.
      const failed = (error: unknown): void => this.machine.whenAwake(() => reject(error));
      simulation.at(order.lastDoneAt, () => void execute().then(resolve, failed));
    });
  }

  /** Until what takes so long is noticed by the process. */
  private async passes(ms: number): Promise<void> {
    const { simulation } = this.nature;
    if (ms === 0 && this.machine.awake) return;
    await new Promise<void>((resolve) => {
      simulation.at(simulation.time + ms, () => this.machine.whenAwake(resolve));
    });
  }
}
