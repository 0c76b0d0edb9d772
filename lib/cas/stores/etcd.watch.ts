import { EtcdRefusal } from './etcd.errors.js';
import { type EtcdGateway } from './etcd.gateway.js';
import { longerEachTime, pause } from './in-time.js';
import { type Watchers } from './watchers.js';

interface Message {
  readonly error?: { readonly http_code?: number; readonly message?: string };
  readonly result?: {
    readonly header?: { readonly revision?: string };
    readonly created?: boolean;
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly events?: readonly { readonly kv: { readonly key: string } }[];
  };
}

/** Hears of all changes under a prefix, on one connection that is made anew when it is lost, or deaf. */
export class EtcdWatch {
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;
  /** Of the connection now: ended when nothing is heard of what should be. */
  private attempt = new AbortController();
  private heard = 0n;
  private patience: NodeJS.Timeout | undefined;

  constructor(
    private readonly gateway: EtcdGateway,
    private readonly range: { readonly key: string; readonly range_end: string },
    private readonly watchers: Watchers,
    private readonly timeoutMs: number,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.ending.abort();
    this.attempt.abort();
    await this.running;
  }

  /** This was written, so it should soon be heard. A member that is cut off from the others is silent, and stays connected. */
  expect(revision: bigint): void {
    if (this.running === undefined || this.heard >= revision || this.patience !== undefined) return;
    this.giveUpUnless(() => this.heard >= revision);
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    for (let failures = 0; !signal.aborted; failures += 1) {
      this.attempt = new AbortController();
      this.heard = 0n;
      this.giveUpUnless(() => this.heard > 0n);
      try {
        const body = { create_request: this.range };
        await this.gateway.listen<Message>('/v3/watch', body, this.attempt.signal, (message) => {
          this.hear(message);
          failures = 0;
        });
      } catch {
        // Those who wait look for themselves, and are told what is wrong.
      }
      clearTimeout(this.patience);
      this.patience = undefined;
      this.watchers.hears(false);
      await pause(longerEachTime(failures), signal);
    }
  }

  private hear({ error, result = {} }: Message): void {
    if (error !== undefined) throw new EtcdRefusal(error.http_code ?? 0, String(error.message));
    if (result.canceled) throw new EtcdRefusal(0, String(result.cancel_reason));
    this.heard = BigInt(result.header?.revision ?? 0n);
    if (result.created) this.watchers.hears(true);
    for (const { kv } of result.events ?? []) this.watchers.tell(kv.key);
  }

  private giveUpUnless(heard: () => boolean): void {
    const { attempt } = this;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      this.patience = undefined;
      if (!heard()) attempt.abort();
    }, this.timeoutMs).unref();
  }
}
