import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EtcdStore, type EtcdStoreOptions } from '../../lib/cas/etcd/index.js';
import { isLockError, LockConfigError } from '../../lib/core/index.js';
import { hostileKeys } from '../../lib/conformance/hostile-keys.js';
import { makeCertificates } from '../support/certificates.js';
import { type EtcdServer, startEtcd } from '../support/etcd-server.js';
import { until } from '../support/until.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const A = Buffer.from('a');
const B = Buffer.from('b');

let server: EtcdServer;
const opened: { close(): unknown }[] = [];
let prefixes = 0;

beforeAll(async () => {
  server = await startEtcd();
});
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
});
afterAll(() => server.stop());

function open(options: Partial<EtcdStoreOptions> = {}): EtcdStore {
  const store = new EtcdStore({ url: server.url, ...options });
  opened.push(store);
  return store;
}

function newPrefix(): string {
  return `test ${(prefixes += 1)}/`;
}

async function rejection(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error('it was done'),
    (error: Error) => error,
  );
}

async function proxied(port: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(port);
  opened.push({ close: () => proxy.close() });
  return proxy;
}

describe('what etcd keeps', () => {
  it('is written against the version that is there, and told in a conflict', async () => {
    const store = open();
    const first = await store.write('key', A, null);
    if (!first.ok) throw new Error('there was nothing');
    expect(await store.read('key')).toEqual({ version: first.version, value: A });
    const there = { ok: false, current: { version: first.version, value: A } };
    expect(await store.write('key', B, null)).toEqual(there);
    expect(await store.write('key', B, first.version - 1n)).toEqual(there);
    expect(await store.write('key', null, first.version + 1n)).toEqual(there);
    expect(await store.write('key', null, null)).toEqual(there);

    const second = await store.write('key', B, first.version);
    if (!second.ok) throw new Error('it was the version');
    expect(second.version).toBeGreaterThan(first.version);
    expect(await store.write('key', null, second.version)).toMatchObject({ ok: true });
    expect(await store.read('key')).toBeNull();
    expect(await store.write('key', null, null)).toMatchObject({ ok: true });
    expect(await store.write('key', A, second.version)).toEqual({ ok: false, current: null });
    const third = await store.write('key', A, null);
    expect(third.ok && third.version > second.version).toBe(true);
  });

  it.each(['lock/', '', 'é/'])(
    'is found under any key, byte by byte, and listed, after the prefix %j',
    async (start) => {
      const prefix = start === '' ? '' : start + newPrefix();
      const store = open({ prefix });
      await Promise.all(hostileKeys.map((key) => store.write(key, Buffer.from(key), null)));
      const listed = async (begin: string): Promise<string[]> => {
        const keys = [];
        for await (const key of store.list(begin)) keys.push(key);
        return keys.toSorted();
      };
      if (prefix !== '') expect(await listed('')).toEqual([...hostileKeys].toSorted());
      expect(await listed('a\0')).toEqual(hostileKeys.filter((key) => key.startsWith('a\0')).toSorted());
      for (const key of hostileKeys) expect((await store.read(key))?.value).toEqual(Buffer.from(key));
    },
  );

  it('is listed whole, over several pages', async () => {
    const store = open({ prefix: newPrefix() });
    const keys = Array.from({ length: 2_100 }, (_, index) => `k${index}`);
    while (keys.length > 0) await Promise.all(keys.splice(0, 100).map((key) => store.write(key, A, null)));
    const listed = new Set<string>();
    for await (const key of store.list('k')) listed.add(key);
    expect(listed.size).toBe(2_100);
  });
});

describe('options of etcd', () => {
  it.each([
    ['no url', {}],
    ['none of several', { url: [] }],
    ['something else', { url: 'localhost:2379' }],
    ['a secret in it', { url: 'http://root:swordfish@localhost:2379' }],
    ['half a user', { url: 'http://localhost', username: 'root' }],
    ['no time', { url: 'http://localhost', commandTimeoutMs: 0 }],
    ['no text', { url: 'http://localhost', prefix: '\ud800' }],
  ])('are refused: %s', (_name, options) => {
    const made = (): unknown => new EtcdStore(options as unknown as EtcdStoreOptions);
    expect(made).toThrow(LockConfigError);
    expect(made).not.toThrow(/swordfish/);
  });
});

describe('a connection to etcd', () => {
  it('is kept, and used again', async () => {
    const proxy = await proxied(server.port);
    const store = open({ url: `http://127.0.0.1:${proxy.port}` });
    for (let round = 0; round < 20; round += 1) await store.read('key');
    expect(proxy.accepted).toBe(1);
  });

  it('that does not answer is given up in time, and what is next goes by another', async () => {
    const proxy = await proxied(server.port);
    const store = open({ url: `http://127.0.0.1:${proxy.port}`, commandTimeoutMs: 300 });
    await store.read('key');
    proxy.toClient.blackHole();
    const error = await rejection(store.read('key'));
    expect(error.message).toBe('no answer of etcd within 300 ms');
    expect(isLockError(error)).toBe(false);
    proxy.toClient.pass();
    await store.read('key');
    expect(proxy.accepted).toBe(2);
  });

  it('that is refused leaves the next member, at once; one that is cut leaves it for the next call', async () => {
    const proxy = await proxied(server.port);
    const store = open({ url: ['http://127.0.0.1:1', `http://127.0.0.1:${proxy.port}`, server.url] });
    for (let round = 0; round < 6; round += 1) await open({ url: ['http://127.0.0.1:1', server.url] }).read('key');
    await store.read('key');
    proxy.refuse();
    proxy.cut();
    const replies = await Promise.allSettled(Array.from({ length: 3 }, () => store.read('key')));
    expect(replies.some(({ status }) => status === 'fulfilled') || (await store.read('key')) !== undefined).toBe(true);
  });

  it('to nobody is worth asking again', async () => {
    const error = await rejection(open({ url: 'http://127.0.0.1:1' }).read('key'));
    expect(isLockError(error)).toBe(false);
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('to something else says so', async () => {
    const other = createServer((_, response) => response.writeHead(404).end('404 page not found')).listen(0);
    opened.push({ close: () => other.close() });
    const { port } = other.address() as AddressInfo;
    expect(await rejection(open({ url: `http://127.0.0.1:${port}` }).read('key'))).toMatchObject({
      code: 'LOCK_CONFIG',
      message: expect.stringContaining('no JSON gateway at this URL'),
    });
  });

  it('is not used once the store is closed', async () => {
    const store = open();
    const asked = rejection(store.read('key'));
    store.watch('key', () => undefined);
    await store.close();
    expect((await asked).message).toMatch(/it was done|the store is closed/);
    expect((await rejection(store.read('key'))).message).toBe('the store is closed');
  });
});

describe('changes in etcd', () => {
  /** How often somebody who watches the key is called. */
  function watched(store: EtcdStore, key: string): { calls: number } {
    const seen = { calls: 0 };
    opened.push({ close: store.watch(key, () => (seen.calls += 1)) });
    return seen;
  }

  /** Once it hears, everybody is told once, and from then on only of changes. */
  async function quiet(seen: { calls: number }): Promise<number> {
    for (let before = -1; before !== seen.calls; await sleep(500)) before = seen.calls;
    return seen.calls;
  }

  it('are heard by whoever watches that key: of every kind, and of no other key', async () => {
    const prefix = newPrefix();
    const store = open({ prefix });
    const [seen, other] = [watched(store, 'watched'), watched(store, 'other')];
    const before = await quiet(other);
    let { calls } = seen;
    const writer = open({ prefix });
    let version: bigint | null = null;
    for (const next of [A, B, null]) {
      const written = await writer.write('watched', next, version);
      if (!written.ok) throw new Error('nobody else writes');
      version = written.version;
      await until('it is told', () => seen.calls === calls + 1);
      calls = seen.calls;
    }
    await writer.write('watched', A, 1n);
    await writer.write('something else', A, null);
    await sleep(300);
    expect([seen.calls, other.calls]).toEqual([calls, before]);
  });

  it('are heard on one connection, however many keys are watched, and it is made anew when it is lost', async () => {
    const proxy = await proxied(server.port);
    const store = open({ prefix: newPrefix(), url: `http://127.0.0.1:${proxy.port}` });
    const seen = Array.from({ length: 50 }, (_, index) => watched(store, `key ${index}`));
    for (let round = 0; round < 3; round += 1) {
      const calls = await quiet(seen[7]!);
      expect(proxy.connections).toBeLessThanOrEqual(2);
      const written = await store.write('key 7', A, (await store.read('key 7'))?.version ?? null);
      expect(written.ok).toBe(true);
      await until('it is told', () => seen[7]!.calls > calls);
      const before = seen[8]!.calls;
      proxy.cut();
      // Nobody knows what is missed meanwhile.
      await until('all look', () => seen[8]!.calls > before);
    }
  });

  it('that are not heard, though they were written, are looked for, and a better connection is', async () => {
    const proxy = await proxied(server.port);
    const store = open({ prefix: newPrefix(), url: `http://127.0.0.1:${proxy.port}`, commandTimeoutMs: 300 });
    const seen = watched(store, 'key');
    const before = await quiet(seen);
    proxy.toClient.drop((message) => message.includes('"events"'));
    const written = await store.write('key', A, null);
    expect(written.ok).toBe(true);
    await until('it is missed', () => seen.calls > before);
    expect(proxy.toClient.swallowed).toBe(1);
    proxy.toClient.pass();
    const calls = await quiet(seen);
    await store.write('key', B, written.ok ? written.version : null);
    await until('it is told', () => seen.calls > calls);
  });
});

describe('etcd behind TLS', () => {
  const files = makeCertificates();
  const [ca, cert, key] = [files.ca, files.cert, files.key].map((path) => readFileSync(path));
  let secured: EtcdServer;
  beforeAll(async () => {
    secured = await startEtcd(files);
  });
  afterAll(async () => {
    await secured.stop();
    files.remove();
  });

  it('is spoken to by who trusts its authority and has a certificate of it', async () => {
    const store = open({ url: secured.url, tls: { ca, cert, key } as EtcdStoreOptions['tls'] & object });
    const heard = new Promise<void>((resolve) => store.watch('key', resolve));
    expect(await store.write('key', A, null)).toMatchObject({ ok: true });
    await heard;
    expect(await store.read('key')).toMatchObject({ value: A });
  });

  it.each([
    ['an authority that is not known', {}],
    ['no certificate of the client', { ca }],
  ])('says so: %s', async (_name, tls) => {
    const error = await rejection(open({ url: secured.url, tls: tls as EtcdStoreOptions['tls'] & object }).read('key'));
    expect(error).toMatchObject({ code: 'LOCK_CONFIG', message: expect.stringContaining('TLS') });
  });
});

describe('etcd with users', () => {
  let guarded: EtcdServer;
  const root = { username: 'root', password: 'sword fish: é' };
  beforeAll(async () => {
    guarded = await startEtcd();
    const users = [
      { name: 'root', password: root.password },
      { name: 'locker', password: 'secret' },
    ];
    for (const user of users) await guarded.ask('/v3/auth/user/add', user);
    for (const name of ['root', 'locks']) await guarded.ask('/v3/auth/role/add', { name });
    const range = { key: Buffer.from('lock/').toString('base64'), range_end: Buffer.from('lock0').toString('base64') };
    await guarded.ask('/v3/auth/role/grant', { name: 'locks', perm: { permType: 'READWRITE', ...range } });
    await guarded.ask('/v3/auth/user/grant', { user: 'root', role: 'root' });
    await guarded.ask('/v3/auth/user/grant', { user: 'locker', role: 'locks' });
  });
  afterAll(() => guarded.stop());

  it('that are not needed yet does without; then logs in, and anew when its token is gone', async () => {
    const store = open({ url: guarded.url, username: 'locker', password: 'secret' });
    let changes = 0;
    store.watch('key', () => (changes += 1));
    const first = await store.write('key', A, null);
    expect(first.ok).toBe(true);
    await guarded.ask('/v3/auth/enable', {});
    expect(await store.read('key')).toMatchObject({ value: A });
    await guarded.restart();
    const second = await until('it is back', () => store.write('key', B, first.ok ? first.version : null));
    expect(second.ok).toBe(true);
    await sleep(1_000);
    const before = changes;
    await store.write('key', null, second.ok ? second.version : null);
    await until('it hears', () => changes > before);
  });

  it.each([
    ['a wrong password', { username: 'root', password: 'swordfish' }, 'log-in refused'],
    ['nobody', {}, 'give username and password'],
    ['one who may do something else', { username: 'locker', password: 'secret', prefix: 'other/' }, 'grant the user'],
  ])('says what is wrong, and no secret: %s', async (_name, options, advice) => {
    const error = await rejection(open({ url: guarded.url, ...options }).write('key', Buffer.from('swordfish'), null));
    expect(error).toMatchObject({ code: 'LOCK_CONFIG', message: expect.stringContaining(advice) });
    expect(JSON.stringify([error, error.message, String(error.cause)])).not.toMatch(/swordfish|secret/);
  });
});
