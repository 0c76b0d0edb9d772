/** How many hash slots the locks of a Cluster are spread over. A server of its own has one. */
const CLUSTER_BUCKETS = 64;

/** Where the line of a key is. The braces make it, with the channel, live in one hash slot of a Cluster. */
export interface LineKey {
  readonly bucket: number;
  readonly line: string;
  /** The last place that was given in the bucket. */
  readonly last: string;
  /** What the marks of claims that were evicted begin with. */
  readonly marks: string;
}

/** Where a key's line is kept. Injective: whatever is in the key comes last. */
export class RedisKeys {
  private readonly buckets: readonly Record<'lines' | 'last' | 'marks' | 'channels', string>[];

  constructor(
    private readonly prefix: string,
    cluster: boolean,
  ) {
    this.buckets = Array.from({ length: cluster ? CLUSTER_BUCKETS : 1 }, (_, bucket) => {
      const tag = `${prefix}:{${bucket}}:`;
      return { lines: `${tag}line:`, last: `${tag}last`, marks: `${tag}evicted:`, channels: `${tag}wake:` };
    });
  }

  of(key: string): LineKey {
    const bucket = this.buckets.length === 1 ? 0 : hash(key) % this.buckets.length;
    const { lines, last, marks } = this.buckets[bucket]!;
    return { bucket, line: lines + key, last, marks };
  }

  /** What the channels of a bucket begin with. */
  channels(bucket: number): string {
    return this.buckets[bucket]!.channels;
  }

  /** What to look for to find every line whose key begins so. */
  pattern(bucketOrAll: string, keyPrefix: string): string {
    return `${escapeGlob(this.prefix)}:{${bucketOrAll}}:line:${escapeGlob(keyPrefix)}*`;
  }

  /** The key whose line is kept there. */
  keyOf(line: string): string {
    return line.slice(line.indexOf('}:line:') + '}:line:'.length);
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
