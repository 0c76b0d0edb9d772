import { type Claim, type ClaimRequest, type LockBackend, type Place, type Standing } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { type FaultPlan, type FaultyCall, noFaults } from './fault-plan.js';

/** A call through a {@link FaultyBackend} of which it is not known what came of it. */
export class InjectedFaultError extends Error {
  constructor({ method, key }: FaultyCall) {
    super(`injected fault: no answer to ${method} of ${JSON.stringify(key)}`);
    this.name = 'InjectedFaultError';
  }
}

/**
 * Any backend, with faults between it and whoever asks: what is asked of it passes or not, as `plan` says. The plan may
 * be changed at any time. Without one, everything passes.
 *
 * It keeps what the contract promises of a connection: of two calls on one claim, the one sent first takes effect first,
 * also when it is late.
 */
export class FaultyBackend implements LockBackend {
  readonly name: string;
  /** What becomes of the next calls. */
  plan: FaultPlan;
  /** Every call that was made, whatever became of it. */
  readonly calls: FaultyCall[] = [];
  private readonly clock: Clock;

  constructor(
    private readonly backend: LockBackend,
    { plan = noFaults, clock = systemClock }: { readonly plan?: FaultPlan; readonly clock?: Clock } = {},
  ) {
    this.name = backend.name;
    this.plan = plan;
    this.clock = clock;
  }

  /** How often a method was called. */
  count(method: FaultyCall['method']): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  claim(request: ClaimRequest): Claim {
    const claim = this.backend.claim(request);
    const { key, id } = request;
    let turn = Promise.resolve();
    // A late call holds up those behind it until it was sent, not until it was answered.
    const inTurn = <T>(method: FaultyCall['method'], execute: () => Promise<T>): Promise<T> => {
      const before = turn;
      let sent!: () => void;
      turn = new Promise((resolve) => (sent = resolve));
      return this.call({ method, key, id }, execute, before, sent);
    };
    const faulty: Claim = {
      attempt: (options) => inTurn('attempt', () => claim.attempt(options)),
      renew: () => inTurn('renew', () => claim.renew()),
      withdraw: () => inTurn('withdraw', () => claim.withdraw()),
    };
    if (claim.watch !== undefined) {
      faulty.watch = (wake) => {
        let watching = true;
        const pass = (standing?: Standing): void => void (watching && wake(standing));
        const stop = claim.watch!((standing) => this.wake({ method: 'wake', key, id }, pass, standing));
        return () => {
          watching = false;
          stop();
        };
      };
    }
    return faulty;
  }

  inspect(key: string): Promise<readonly Place[]> {
    return this.call({ method: 'inspect', key, id: '' }, () => this.backend.inspect(key));
  }

  list(options?: { readonly prefix?: string }): AsyncIterable<string> {
    return this.backend.list(options);
  }

  evict(key: string, id: string): Promise<boolean> {
    return this.call({ method: 'evict', key, id }, () => this.backend.evict(key, id));
  }

  async close(): Promise<void> {
    await this.backend.close?.();
  }

  private async call<T>(
    call: FaultyCall,
    execute: () => Promise<T>,
    before?: Promise<void>,
    sent: () => void = () => undefined,
  ): Promise<T> {
    const fault = this.decide(call);
    await before;
    if (typeof fault === 'object' && 'delayMs' in fault) await this.sleep(fault.delayMs);
    if (fault === 'fail' || fault === 'hang') {
      sent();
      return fault === 'hang' ? never<T>() : Promise.reject(new InjectedFaultError(call));
    }
    let answers: Promise<T>[];
    try {
      answers = fault === 'duplicate' ? [execute(), execute()] : [execute()];
    } finally {
      sent();
    }
    const [answer] = await Promise.allSettled(answers);
    if (typeof fault === 'object' && 'replyDelayMs' in fault) await this.sleep(fault.replyDelayMs);
    if (fault === 'no-reply') return never<T>();
    if (fault === 'lose-reply') throw new InjectedFaultError(call);
    if (answer!.status === 'rejected') throw answer!.reason;
    return answer!.value;
  }

  private wake(call: FaultyCall, wake: (standing?: Standing) => void, standing: Standing | undefined): void {
    const fault = this.decide(call);
    if (typeof fault === 'object') {
      const lateMs = 'delayMs' in fault ? fault.delayMs : fault.replyDelayMs;
      void this.sleep(lateMs).then(() => wake(standing));
    }
    if (fault === undefined || fault === 'duplicate') wake(standing);
    if (fault === 'duplicate') wake(standing);
  }

  private decide(call: FaultyCall): ReturnType<FaultPlan> {
    this.calls.push(call);
    return this.plan(call);
  }

  private sleep(forMs: number): Promise<void> {
    return new Promise((resolve) => void this.clock.alarm(forMs, resolve));
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
