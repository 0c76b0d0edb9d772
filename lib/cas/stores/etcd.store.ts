import { type CasStore, type Version, type Versioned, type Written } from '../cas.store.js';
import { EtcdGateway } from './etcd.gateway.js';
import { type EtcdStoreOptions, readEtcdOptions } from './etcd.options.js';
import { EtcdWatch } from './etcd.watch.js';
import { Watchers } from './watchers.js';

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
}

interface Range {
  readonly kvs?: readonly KeyValue[];
  readonly more?: boolean;
}

interface Txn {
  readonly header: { readonly revision: string };
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: Range }[];
}

const LIST_PAGE = 1_000;

/**
 * Keeps lines in etcd 3.4 or later, by its JSON gateway: what is under a key is of the version of its `mod_revision`. What is
 * restored from a snapshot begins again with the revisions of that snapshot, and so do fencing tokens.
 */
export class EtcdStore implements CasStore {
  readonly name = 'etcd';
  private readonly prefix: Buffer;
  private readonly gateway: EtcdGateway;
  private readonly watchers = new Watchers();
  private readonly changes: EtcdWatch;

  /** @throws LockConfigError for an option that cannot be. */
  constructor(options: EtcdStoreOptions) {
    const settings = readEtcdOptions(options);
    this.prefix = Buffer.from(settings.prefix);
    this.gateway = new EtcdGateway(settings);
    const range = { key: base64(this.prefix), range_end: base64(endOf(this.prefix)) };
    this.changes = new EtcdWatch(this.gateway, range, this.watchers, settings.commandTimeoutMs);
  }

  async read(key: string): Promise<Versioned | null> {
    return first(await this.gateway.call<Range>('/v3/kv/range', { key: this.named(key) }));
  }

  async write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    const name = this.named(key);
    const value = next === null ? undefined : base64(next);
    const { header, succeeded, responses } = await this.gateway.call<Txn>('/v3/kv/txn', {
      // What is not there has the revision 0.
      compare: [{ key: name, target: 'MOD', result: 'EQUAL', mod_revision: String(expected ?? 0n) }],
      success: [value === undefined ? { request_delete_range: { key: name } } : { request_put: { key: name, value } }],
      failure: [{ request_range: { key: name } }],
    });
    if (!succeeded) return { ok: false, current: first(responses?.[0]?.response_range ?? {}) };
    const version = BigInt(header.revision);
    if (next !== null) this.changes.expect(version);
    return { ok: true, version };
  }

  watch(key: string, changed: () => void): () => void {
    this.changes.start();
    return this.watchers.add(this.named(key), changed);
  }

  async *list(prefix: string): AsyncIterable<string> {
    const start = Buffer.concat([this.prefix, Buffer.from(prefix)]);
    const end = endOf(start);
    // To etcd, the first of all keys is not the empty one.
    let key = start.length > 0 ? start : Buffer.of(0);
    for (;;) {
      const range = { key: base64(key), range_end: base64(end), limit: LIST_PAGE, keys_only: true };
      const { kvs = [], more } = await this.gateway.call<Range>('/v3/kv/range', range);
      for (const kv of kvs) {
        key = Buffer.from(kv.key, 'base64');
        yield key.toString('utf8', this.prefix.length);
      }
      if (!more) return;
      key = Buffer.concat([key, Buffer.of(0)]);
    }
  }

  async close(): Promise<void> {
    await this.changes.close();
    this.gateway.close();
  }

  private named(key: string): string {
    return base64(Buffer.concat([this.prefix, Buffer.from(key)]));
  }
}

function first({ kvs }: Range): Versioned | null {
  const [kv] = kvs ?? [];
  if (kv === undefined) return null;
  return { version: BigInt(kv.mod_revision), value: Buffer.from(kv.value ?? '', 'base64') };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Of what begins with these bytes: the first that comes after all of it. No UTF-8 ends with 0xff; of nothing, etcd says 0. */
function endOf(prefix: Uint8Array): Buffer {
  if (prefix.length === 0) return Buffer.of(0);
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return end;
}
