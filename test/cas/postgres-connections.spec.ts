import { type EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { PostgresStore, type PostgresStoreOptions } from '../../lib/cas/postgres/index.js';
import { isLockError, LockConfigError } from '../../lib/core/index.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const A = Buffer.from('a');
const B = Buffer.from('b');

let server: PostgresServer;
const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  server = await startPostgres();
  await server.admin.query(`CREATE ROLE "needs a password" LOGIN PASSWORD 'secret'; CREATE ROLE "not welcome" LOGIN`);
});
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
});
afterAll(() => server.stop());

function pool(config: pg.PoolConfig = {}): pg.Pool {
  const made = server.pool(config);
  opened.push({ close: () => made.end() });
  return made;
}

function open(options: Partial<PostgresStoreOptions> = {}): PostgresStore {
  const store = new PostgresStore({ pool: options.pool ?? pool(), createTable: true, ...options });
  opened.push(store);
  return store;
}

async function rejection(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error('it was done'),
    (error: Error) => error,
  );
}

describe('a pool of PostgreSQL', () => {
  it('is what it must be', () => {
    const client = new pg.Client();
    for (const pool of [undefined, null, {}, client]) {
      expect(() => new PostgresStore({ pool } as unknown as PostgresStoreOptions)).toThrow(LockConfigError);
    }
    expect(() => open({ commandTimeoutMs: 0 })).toThrow(LockConfigError);
    expect(() => new PostgresStore({ url: server.url, pool: pool() })).toThrow(/either url or pool/);
    const noUrl = (): PostgresStore => new PostgresStore({ url: 'user:secret@host' });
    expect(noUrl).toThrow(/^(?!.*secret).*url must look like/);
  });

  it('is made for a url, and ended with the store', async () => {
    const store = new PostgresStore({ url: `${server.url}?application_name=own`, createTable: true });
    const heard = new Promise<void>((resolve) => store.watch!('own', resolve));
    expect(await store.write('own', A, null)).toMatchObject({ ok: true });
    await heard;
    expect(await server.connections('own')).toBeGreaterThan(0);
    await Promise.all([store.close(), store.close()]);
    await until('its connections are gone', async () => (await server.connections('own')) === 0);
  });

  it('is neither closed nor left with anything', async () => {
    const borrowed = pool();
    const listeners = borrowed.listenerCount('error');
    const store = open({ pool: borrowed });
    const heard = new Promise<void>((resolve) => store.watch!('key', resolve));
    await store.write('key', A, null);
    await heard;
    await store.close();
    expect(borrowed.idleCount).toBe(borrowed.totalCount);
    expect(borrowed.listenerCount('error')).toBe(listeners);
    expect((await borrowed.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('gives no connection in the middle of a transaction', async () => {
    const one = pool({ max: 1 });
    const store = open({ pool: one, listen: false });
    await store.read('key');
    const forgetful = await one.connect();
    await forgetful.query('BEGIN');
    forgetful.release();
    const written = await store.write('in a transaction', A, null);
    expect(written.ok).toBe(true);
    const others = open();
    expect(await others.read('in a transaction')).toMatchObject({ value: A });
  });

  it('of a version of pg that tells of no transactions is refused, and keeps its connections', async () => {
    class OldClient extends pg.Client {
      override getTransactionStatus = undefined as unknown as pg.Client['getTransactionStatus'];
    }
    const old = pool({ Client: OldClient, max: 1 });
    const store = open({ pool: old, listen: false });
    for (const work of [() => store.read('old'), () => store.write('old', A, null)]) {
      expect(await rejection(work())).toMatchObject({
        code: 'LOCK_CONFIG',
        message: expect.stringContaining('update pg to 8.21 or later'),
      });
    }
    expect([old.totalCount, old.idleCount]).toEqual([1, 1]);
  });

  it('that has no connection free, or makes none, is not waited for longer than a statement may take', async () => {
    const one = pool({ max: 1 });
    const store = open({ pool: one, commandTimeoutMs: 200 });
    const held = await one.connect();
    const errors = await Promise.all([rejection(store.read('busy')), rejection(store.write('busy', A, null))]);
    for (const error of errors) expect(error.message).toContain('no connection of the pool is free');
    expect(errors.some(isLockError)).toBe(false);
    held.release();
    expect(await store.read('busy')).toBeNull();
    // Those that came too late were given back.
    await until('nobody waits', () => one.waitingCount === 0 && one.idleCount === 1);
  });

  it('gets rid of a connection that does not answer', async () => {
    const proxy = await TcpProxy.start(server.port);
    opened.push({ close: () => proxy.close() });
    const through = pool({ port: proxy.port, max: 2 });
    const store = open({ pool: through, commandTimeoutMs: 300, listen: false });
    await store.read('key');
    proxy.toClient.blackHole();
    const error = await rejection(store.write('silence', A, null));
    expect(error.message).toContain('no answer of PostgreSQL within');
    expect(isLockError(error)).toBe(false);
    expect(through.totalCount).toBe(0);
    proxy.toClient.pass();
    await until('it works again', async () => (await store.read('silence')) !== null);
    await store.write('silence', null, (await store.read('silence'))!.version);
  });

  it('of its own is not used up by connections that were begun while nothing came back', async () => {
    const proxy = await TcpProxy.start(server.port);
    opened.push({ close: () => proxy.close() });
    proxy.toClient.blackHole();
    const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const store = new PostgresStore({ url, createTable: true, commandTimeoutMs: 1_000 });
    opened.push(store);
    // More than a pool has room for.
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => rejection(store.read('never written'))));
    }
    // Those connections have lost something, and will never be whole again. New ones are.
    proxy.toClient.pass();
    await until('it works again', async () => (await store.read('never written')) === null);
  });

  /** Of a server whose `lc_messages` are German: the severity of an error is in its language, too. */
  class GermanClient extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      const { connection } = this as unknown as { connection: EventEmitter };
      connection.on('errorMessage', (error: pg.DatabaseError) => (error.severity = 'FEHLER'));
    }
  }

  it.each([
    ['English', pg.Client],
    ['German', GermanClient],
  ])('keeps a connection whose statement was refused, in %s', async (_language, Client) => {
    const one = pool({ Client, max: 1 });
    const store = open({ pool: one, createTable: false, listen: false, table: 'not_there' });
    const processId = async (): Promise<number> => (await one.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    const before = await processId();
    expect(await rejection(store.read('key'))).toMatchObject({ code: 'LOCK_CONFIG' });
    expect(await processId()).toBe(before);
  });

  const secret = 'swordfish';
  it.each([
    ['a wrong password', { user: 'needs a password', password: secret }, 'check user name, password'],
    ['no password', { user: 'needs a password' }, 'check user name'],
    ['a user who is not let in', { user: 'not welcome', password: secret }, 'pg_hba.conf'],
    ['a database that is not there', { database: 'nothing', password: secret }, 'no such database'],
    ['no TLS', { ssl: true, password: secret }, 'check the certificates, and ssl of the pool'],
  ])('that cannot work says so, and no secret: %s', async (_name, config: pg.PoolConfig, advice) => {
    const error = await rejection(open({ pool: pool(config) }).write('key', Buffer.from(secret), null));
    expect(error).toMatchObject({ code: 'LOCK_CONFIG', message: expect.stringContaining(advice) });
    expect(JSON.stringify([error, error.message, error.cause, String(error.cause)])).not.toContain(secret);
  });

  it('that was ended says so', async () => {
    const ended = server.pool();
    await ended.end();
    expect(await rejection(open({ pool: ended }).read('key'))).toMatchObject({
      code: 'LOCK_CONFIG',
      message: expect.stringContaining('end it after the locks are closed'),
    });
  });

  it('whose server is not there is worth asking again', async () => {
    const error = await rejection(open({ pool: pool({ port: 1 }) }).read('key'));
    expect(isLockError(error)).toBe(false);
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('changes in PostgreSQL', () => {
  /** How often somebody who watches the key is called. */
  function watched(store: PostgresStore, key: string): { readonly calls: number } {
    const seen = { calls: 0 };
    opened.push({ close: store.watch!(key, () => (seen.calls += 1)) });
    return seen;
  }

  async function hears(name: string): Promise<void> {
    const listening = `SELECT FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'`;
    await until('it listens', async () => (await server.admin.query(listening, [name])).rowCount === 1);
    await sleep(300);
  }

  it('are heard by whoever watches that key: of every kind, and of no other key', async () => {
    const store = open({ pool: pool({ application_name: 'hears' }) });
    const seen = watched(store, 'watched');
    const other = watched(store, 'other');
    await hears('hears');
    const before = other.calls;
    const writer = open();
    let { calls } = seen;
    let version: bigint | null = null;
    for (const next of [A, B, null]) {
      const written = await writer.write('watched', next, version);
      if (!written.ok) throw new Error('nobody else writes');
      version = written.version;
      await until('it is told', () => seen.calls === calls + 1);
      calls = seen.calls;
    }
    // What changes nothing is not told.
    await writer.write('watched', A, 1n);
    await writer.write('something else', A, null);
    await sleep(300);
    expect([seen.calls, other.calls]).toEqual([calls, before]);
  });

  it('are heard on one connection, however many keys are watched, and it is made anew when it is lost', async () => {
    const store = open({ pool: pool({ application_name: 'listens' }) });
    const seen = Array.from({ length: 50 }, (_, index) => watched(store, `key ${index}`));
    const listeners = `SELECT pid FROM pg_stat_activity WHERE application_name = 'listens' AND query LIKE 'LISTEN%'`;
    const writer = open();
    for (let round = 0; round < 3; round += 1) {
      await hears('listens');
      const calls = seen[7]!.calls;
      const there = await writer.read('key 7');
      await writer.write('key 7', A, there?.version ?? null);
      await until('it is told', () => seen[7]!.calls > calls);
      const { rows } = await server.admin.query<{ pid: number }>(listeners);
      expect(rows).toHaveLength(1);
      await server.admin.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
      // Nobody knows what is missed meanwhile.
      const [before] = [seen[8]!.calls];
      await until('all look', () => seen[8]!.calls > before);
    }
  });

  it('are looked for every now and then where nothing can be heard, and by nobody who is gone', async () => {
    const store = open({ pool: pool({ max: 1 }) });
    const seen = { calls: 0 };
    const gone = store.watch!('key', () => (seen.calls += 1));
    await until('it looks', () => seen.calls > 3);
    gone();
    const { calls } = seen;
    await sleep(400);
    expect(seen.calls).toBe(calls);
  });

  it('are neither told nor heard where listening is turned off', async () => {
    const silent = open({ listen: false });
    expect(silent.watch).toBeUndefined();
    const listening = open({ pool: pool({ application_name: 'off' }) });
    const seen = watched(listening, 'key that is not told of');
    await hears('off');
    const { calls } = seen;
    await silent.write('key that is not told of', A, null);
    await sleep(300);
    expect(seen.calls).toBe(calls);
  });
});
