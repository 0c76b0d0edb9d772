/** How many hash slots the locks of a Cluster are spread over. A server of its own has one. */
const CLUSTER_BUCKETS = 64;

/** One claim's keys. The braces make them, with the channel, live in one hash slot of a Cluster. */
export interface ClaimKeys {
  readonly bucket: number;
  /** Line, leases and claims: what every script begins with. */
  readonly line: readonly [string, string, string];
  /** The last place that was given in the bucket. */
  readonly last: string;
}

/** Where a key's line is kept. Injective: whatever is in the key comes last. */
export class RedisKeys {
  private readonly buckets: number;

  constructor(
    private readonly prefix: string,
    cluster: boolean,
  ) {
    this.buckets = cluster ? CLUSTER_BUCKETS : 1;
  }

  of(key: string): ClaimKeys {
    const bucket = hash(key) % this.buckets;
    const tag = this.tag(bucket);
    const line = [`${tag}line:${key}`, `${tag}leases:${key}`, `${tag}claims:${key}`] as const;
    return { bucket, line, last: `${tag}last` };
  }

  /** What is left of a claim that was evicted, until its owner knows. */
  evicted({ bucket }: ClaimKeys, id: string): string {
    return `${this.tag(bucket)}evicted:${id}`;
  }

  /** What the channels of a bucket begin with. */
  channels(bucket: number): string {
    return `${this.tag(bucket)}wake:`;
  }

  /** What to look for to find every line whose key begins so. */
  pattern(bucketOrAll: string, keyPrefix: string): string {
    return `${escapeGlob(this.prefix)}:{${bucketOrAll}}:line:${escapeGlob(keyPrefix)}*`;
  }

  /** The key whose line is kept there. */
  keyOf(line: string): string {
    return line.slice(line.indexOf('}:line:') + '}:line:'.length);
  }

  private tag(bucket: number): string {
    return `${this.prefix}:{${bucket}}:`;
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

/** FNV-1a: spreads keys over buckets, and needs to be the same everywhere. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return state;
}
