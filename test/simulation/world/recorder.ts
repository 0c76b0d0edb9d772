import { type Claim, type ClaimRequest, type LockBackend, type Place, type Standing } from '../../../lib/core/index.js';
import { type Call, type History } from '../history.js';
import { type Machine } from '../kernel/machine.js';

/** Between the core and a backend: writes down what is asked and what is answered, and changes nothing. */
export class Recorder implements LockBackend {
  readonly name: string;

  constructor(
    private readonly behind: LockBackend,
    private readonly process: string,
    private readonly machine: Machine,
    private readonly history: History,
  ) {
    this.name = behind.name;
  }

  claim(request: ClaimRequest): Claim {
    const { history, process } = this;
    const { key, id: claim } = request;
    const behind = this.behind.claim(request);
    return {
      attempt: (options) =>
        this.call(
          'attempt',
          request,
          options.queue,
          () => behind.attempt(options),
          (standing) => ({ standing }),
        ),
      renew: () =>
        this.call(
          'renew',
          request,
          true,
          () => behind.renew(),
          (kept) => ({ kept }),
        ),
      withdraw: () =>
        this.call(
          'withdraw',
          request,
          true,
          () => behind.withdraw(),
          (kept) => ({ kept }),
        ),
      ...(behind.watch !== undefined && {
        watch: (wake) =>
          behind.watch!((standing) => {
            history.record('woken', { process, claim, key, ...(standing !== undefined && { standing }) });
            wake(standing);
          }),
      }),
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

  async close(): Promise<void> {
    this.history.record('closed', { process: this.process });
    await this.behind.close?.();
  }

  private async call<T>(
    call: Call,
    { key, id: claim, leaseMs, slots }: ClaimRequest,
    queue: boolean,
    execute: () => Promise<T>,
    facts: (answer: T) => { readonly standing?: Standing; readonly kept?: boolean },
  ): Promise<T> {
    const { history, machine } = this;
    const sentNow = machine.now();
    const sentAt = history.time;
    const common = { process: this.process, claim, key, call };
    history.record('sent', { ...common, now: sentNow, leaseMs, slots, queue });
    try {
      const answer = await execute();
      history.record('answered', { ...common, now: machine.now(), sentAt, sentNow, ...facts(answer) } as never);
      return answer;
    } catch (error) {
      history.record('failed', { ...common, now: machine.now() });
      throw error;
    }
  }
}
