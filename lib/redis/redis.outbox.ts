import { type LineKey } from './redis.keys.js';

/** A script that takes long holds up everybody else: this many take half a millisecond. */
const MOST_PER_COMMAND = 200;

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

/** Sends calls of one bucket as one command. The reply is that of `calls.lua`. */
type SendCalls = (bucket: number, keys: string[], calls: string[]) => Promise<unknown[]>;

/**
 * What the claims of this process ask for: all that comes up in one turn of the event loop goes out as one command per
 * bucket, in order. One that comes up alone goes out alone, in the same turn. Buckets do not wait for each other.
 */
export class RedisOutbox {
  private due: Call[] = [];

  constructor(
    private readonly send: SendCalls,
    /** What a failure of one call among several means. */
    private readonly failure: (why: string) => Error,
  ) {}

  ask(key: LineKey, verb: CallVerb, claim: string, mark?: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Behind all that is to be done in this turn: whoever is answered together asks together again.
      if (this.due.length === 0) process.nextTick(() => this.flush());
      this.due.push({ key, verb, claim, mark, resolve, reject });
    });
  }

  private flush(): void {
    const { due } = this;
    this.due = [];
    if (due.length === 1) {
      void this.sendTogether(due);
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
        void this.sendTogether(bucket.slice(start, start + MOST_PER_COMMAND));
      }
    }
  }

  private async sendTogether(calls: readonly Call[]): Promise<void> {
    const keys: string[] = [];
    const marks: string[] = [];
    const asked: string[] = [];
    let joining: LineKey | undefined;
    for (const { key, verb, claim, mark } of calls) {
      keys.push(key.line);
      asked.push(verb + claim);
      if (verb !== '=' && verb !== '-') joining = key;
      if (mark !== undefined) marks.push(mark);
    }
    if (joining !== undefined) keys.push(joining.last, ...marks);
    try {
      const reply = await this.send(calls[0]!.key.bucket, keys, asked);
      calls.forEach(({ resolve, reject }, index) => {
        const outcome = reply[index + 1];
        if (isFailure(outcome)) reject(this.failure(outcome[1]));
        else resolve(outcome);
      });
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }
}

function isFailure(outcome: unknown): outcome is ['failed', string] {
  return Array.isArray(outcome) && outcome[0] === 'failed';
}
