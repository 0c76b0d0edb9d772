import { type Clock } from '../core/clock.js';
import { classified } from './redis.errors.js';
import { type LineKey } from './redis.keys.js';
import { type RedisPort } from './redis.port.js';
import { ServerClock } from './redis.server-clock.js';

/** A script that takes long holds up everybody else: this many take it a millisecond. */
const MOST_PER_COMMAND = 250;

/** What a claim may ask for, as `calls.lua` knows it. */
export type CallVerb = '+' | '?' | '*' | '!' | '=' | '-';

interface Call {
  readonly key: LineKey;
  readonly verb: CallVerb;
  readonly claim: string;
  /** Where it says that the claim was evicted, for the verbs that ask again. */
  readonly mark: string | undefined;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What the claims of this process ask for: all that comes up in one turn of the event loop goes out as one command per
 * bucket, in order. One that comes up alone goes out alone, in the same turn. Buckets do not wait for each other.
 */
export class RedisOutbox {
  private due: Call[] = [];
  /** In a Cluster, each node has a clock of its own. */
  private readonly clocks = new Map<number, ServerClock>();

  constructor(
    private readonly link: RedisPort,
    private readonly clock: Clock,
    private readonly commandTimeoutMs: number,
  ) {}

  /** The outcome, as `calls.lua` tells it. */
  ask(key: LineKey, verb: CallVerb, claim: string, mark?: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Behind all that is to be done in this turn: whoever is answered together asks together again.
      if (this.due.length === 0) process.nextTick(flush, this);
      this.due.push({ key, verb, claim, mark, resolve, reject });
    });
  }

  flush(): void {
    const { due } = this;
    this.due = [];
    if (due.length === 1) {
      this.sendTogether(due);
      return;
    }
    const buckets = new Map<number, Call[]>();
    for (const call of due) {
      const bucket = buckets.get(call.key.bucket);
      if (bucket === undefined) buckets.set(call.key.bucket, [call]);
      else bucket.push(call);
    }
    for (const bucket of buckets.values()) {
      for (let start = 0; start < bucket.length; start += MOST_PER_COMMAND) {
        this.sendTogether(bucket.slice(start, start + MOST_PER_COMMAND));
      }
    }
  }

  private sendTogether(calls: readonly Call[]): void {
    const clock = this.clockOf(calls[0]!.key.bucket);
    const sentAt = this.clock.now();
    const keys: string[] = [];
    const marks: string[] = [];
    const args: (string | number)[] = [clock.notAfter(this.commandTimeoutMs)];
    let joining: LineKey | undefined;
    for (const { key, verb, claim, mark } of calls) {
      keys.push(key.line);
      args.push(verb + claim);
      if (verb !== '=' && verb !== '-') joining = key;
      if (mark !== undefined) marks.push(mark);
    }
    if (joining !== undefined) keys.push(joining.last, ...marks);
    this.link.run('calls', keys, args).then(
      (reply) => {
        clock.learn(Number((reply as unknown[])[0]), sentAt);
        this.tell(calls, reply as unknown[]);
      },
      (error: unknown) => {
        for (const { reject } of calls) reject(error);
      },
    );
  }

  /** What is wrong with one line fails one call. */
  private tell(calls: readonly Call[], reply: readonly unknown[]): void {
    for (let index = 0; index < calls.length; index += 1) {
      const outcome = reply[index + 1];
      const { resolve, reject } = calls[index]!;
      if (isFailure(outcome)) reject(classified(new Error(outcome[1]), this.link.cluster));
      else resolve(outcome);
    }
  }

  private clockOf(bucket: number): ServerClock {
    let clock = this.clocks.get(bucket);
    if (clock === undefined) this.clocks.set(bucket, (clock = new ServerClock(this.clock)));
    return clock;
  }
}

function flush(outbox: RedisOutbox): void {
  outbox.flush();
}

function isFailure(outcome: unknown): outcome is ['failed', string] {
  return Array.isArray(outcome) && outcome[0] === 'failed';
}
