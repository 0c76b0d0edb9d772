import { type ClaimKeys } from './redis.keys.js';

/** Lua unpacks at most some thousand values, and a script that takes long holds up everybody else. */
const MOST_PER_COMMAND = 250;

interface Renewal {
  readonly keys: ClaimKeys;
  readonly id: string;
  readonly leaseMs: number;
  readonly resolve: (kept: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Renewals that are asked for in one turn of the event loop, as one command per bucket; buckets do not wait for each other. */
export class RedisRenewals {
  private due: Renewal[] = [];

  constructor(private readonly send: (keys: string[], args: (string | number)[]) => Promise<unknown>) {}

  renew(keys: ClaimKeys, id: string, leaseMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.due.length === 0) queueMicrotask(() => this.flush());
      this.due.push({ keys, id, leaseMs, resolve, reject });
    });
  }

  private flush(): void {
    const buckets = new Map<number, Renewal[]>();
    for (const renewal of this.due) {
      const bucket = buckets.get(renewal.keys.bucket);
      if (bucket === undefined) buckets.set(renewal.keys.bucket, [renewal]);
      else bucket.push(renewal);
    }
    this.due = [];
    for (const bucket of buckets.values()) {
      for (let start = 0; start < bucket.length; start += MOST_PER_COMMAND) {
        void this.sendTogether(bucket.slice(start, start + MOST_PER_COMMAND));
      }
    }
  }

  private async sendTogether(renewals: readonly Renewal[]): Promise<void> {
    const keys = renewals.flatMap(({ keys: { line } }) => line);
    const args = renewals.flatMap(({ id, leaseMs }) => [id, leaseMs]);
    try {
      const kept = (await this.send(keys, args)) as number[];
      renewals.forEach(({ resolve }, index) => resolve(kept[index] === 1));
    } catch (error) {
      for (const { reject } of renewals) reject(error);
    }
  }
}
