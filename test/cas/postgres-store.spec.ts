import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { PostgresStore, type PostgresStoreOptions, postgresTableSql } from '../../lib/cas/postgres/index.js';
import { PostgresTable } from '../../lib/cas/stores/postgres.table.js';
import { LockConfigError } from '../../lib/core/index.js';
import { hostileKeys } from '../../lib/conformance/hostile-keys.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';

const A = Buffer.from('a');
const B = Buffer.from('b');

let server: PostgresServer;
const opened: { close(): unknown }[] = [];
let tables = 0;

beforeAll(async () => {
  server = await startPostgres();
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

function newTable(): string {
  return `locks_${(tables += 1)}`;
}

describe('what PostgreSQL keeps', () => {
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
    expect(await store.write('key', null, second.version)).toEqual({ ok: false, current: null });
  });

  it('is told as it is, and not as it was before a write had to wait for another', async () => {
    const table = newTable();
    const store = open({ table });
    const first = await store.write('there', A, null);
    if (!first.ok) throw new Error('there was nothing');
    const other = await server.admin.connect();
    try {
      await other.query('BEGIN');
      await other.query(`UPDATE ${table} SET value = 'b', version = 100`);
      await other.query(`INSERT INTO ${table} VALUES ('new', 'b', 200)`);
      const writes = [
        store.write('there', A, first.version),
        store.write('there', null, first.version),
        store.write('new', A, null),
      ];
      const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
      await until('all wait', async () => (await server.admin.query(waiting)).rowCount === 3);
      await other.query('COMMIT');
      const current = (version: bigint) => ({ ok: false, current: { version, value: B } });
      expect(await Promise.all(writes)).toEqual([current(100n), current(100n), current(200n)]);
    } finally {
      other.release(true);
    }
  });

  it('is found under any key, byte by byte, and listed', async () => {
    const store = open({ table: newTable() });
    await Promise.all(hostileKeys.map((key) => store.write(key, Buffer.from(key), null)));
    const listed = async (prefix: string): Promise<string[]> => {
      const keys = [];
      for await (const key of store.list(prefix)) keys.push(key);
      return keys.toSorted();
    };
    expect(await listed('')).toEqual([...hostileKeys].toSorted());
    expect(await listed('a\0')).toEqual(hostileKeys.filter((key) => key.startsWith('a\0')).toSorted());
    for (const key of hostileKeys) expect((await store.read(key))?.value).toEqual(Buffer.from(key));
  });

  it('is listed whole, over several pages', async () => {
    const table = newTable();
    const store = open({ table });
    await store.read('');
    await server.admin.query(
      `INSERT INTO ${table} SELECT convert_to('k' || n, 'UTF8'), 'v', n FROM generate_series(1, 2500) n`,
    );
    const keys = new Set<string>();
    for await (const key of store.list('k')) keys.add(key);
    expect(keys.size).toBe(2_500);
  });

  it('is understood whatever the pool makes of types, and however the database shows bytes', async () => {
    const types = { getTypeParser: () => () => 'something else' } as unknown as pg.CustomTypesConfig;
    await server.admin.query(`ALTER DATABASE postgres SET bytea_output = 'escape'`);
    try {
      for (const config of [{ types }, { binary: true }] as pg.PoolConfig[]) {
        const store = open({ pool: pool(config), table: newTable() });
        const written = await store.write('key', Buffer.from([0, 255, 92]), null);
        expect(written).toEqual({ ok: true, version: 1n });
        expect(await store.read('key')).toEqual({ version: 1n, value: Buffer.from([0, 255, 92]) });
      }
    } finally {
      await server.admin.query('ALTER DATABASE postgres RESET bytea_output');
    }
  });

  it.each(['read committed', 'repeatable read', 'serializable'])('swaps as told under %s', async (isolation) => {
    await server.admin.query(`ALTER DATABASE postgres SET default_transaction_isolation = '${isolation}'`);
    try {
      const stores = Array.from({ length: 4 }, () => open({ pool: pool({ max: 2 }) }));
      const key = `swaps under ${isolation}`;
      let added = 0;
      const add = async (store: PostgresStore): Promise<void> => {
        for (let conflicts = 0; conflicts < 1_000; conflicts += 1) {
          const now = await store.read(key);
          const next = Buffer.from(String(Number(now?.value.toString() ?? 0) + 1));
          if ((await store.write(key, next, now?.version ?? null)).ok) return void (added += 1);
        }
      };
      await Promise.all(stores.flatMap((store) => Array.from({ length: 10 }, () => add(store))));
      expect(added).toBe(40);
      expect((await stores[0]!.read(key))?.value.toString()).toBe('40');
    } finally {
      await server.admin.query('ALTER DATABASE postgres RESET default_transaction_isolation');
    }
  });
});

describe('the versions of a key rise in the order in which they land', () => {
  it.each([
    ['is not there', false],
    ['is there, and is deleted meanwhile', true],
  ])('when an insertion is held up, and what it would insert %s', async (_name, there) => {
    const table = newTable();
    const store = open({ table });
    await store.read('key');
    const current = there ? await store.write('key', A, null) : undefined;
    await server.admin.query(`
      CREATE TABLE ${table}_landed (number bigserial, version bigint);
      CREATE FUNCTION ${table}_land() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO ${table}_landed (version) VALUES (NEW.version); RETURN NULL; END $$;
      CREATE TRIGGER land AFTER INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_land();
      -- Where a version has been drawn, and has not landed.
      CREATE FUNCTION ${table}_wait() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.value = 'late' THEN PERFORM pg_sleep(0.8); END IF; RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_wait();`);

    const late = store.write('key', Buffer.from('late'), null);
    await sleep(300);
    if (current?.ok) await leave(current.version);
    for (let round = 0; round < 3; round += 1) {
      const written = await store.write('key', A, null);
      const version = written.ok ? written.version : written.current?.version;
      if (version !== undefined) await leave(version);
    }
    await late;

    const { rows } = await server.admin.query<{ version: string }>(
      `SELECT version FROM ${table}_landed ORDER BY number`,
    );
    const landed = rows.map(({ version }) => Number(version));
    expect(landed.length).toBeGreaterThan(3);
    expect(landed).toEqual([...new Set(landed)].toSorted((a, b) => a - b));

    async function leave(version: bigint): Promise<void> {
      const updated = await store.write('key', B, version);
      if (updated.ok) await store.write('key', null, updated.version);
    }
  });

  it('over a table that is dropped and made anew, and over a server that is killed', async () => {
    const table = newTable();
    const versions: bigint[] = [];
    const write = async (): Promise<void> => {
      const written = await open({ table }).write('key', A, null);
      if (!written.ok) throw new Error('there was nothing');
      versions.push(written.version);
    };
    await write();
    await server.admin.query(`DROP TABLE ${table}`);
    await write();
    await server.admin.query(`DELETE FROM ${table}`);
    await server.restart();
    await write();
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => (a < b ? -1 : 1)));
  });
});

describe('a sequence that begins anew, as that of a logical replica does,', () => {
  it('goes on behind all tokens when it is set as the page says, however often', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/backends/cas.md'), 'utf8');
    const [setOn] = /SELECT setval.*;/.exec(page)!;
    const store = open();
    const version = async (): Promise<bigint> => {
      const key = `version ${(keys += 1)}`;
      const written = await store.write(key, A, null);
      return written.ok ? written.version : 0n;
    };
    let keys = 0;
    for (let last = await version(), round = 0; round < 2; round += 1) {
      await server.admin.query('ALTER SEQUENCE nestjs_locks_version RESTART');
      expect(await version()).toBe(1n);
      await server.admin.query(setOn);
      const next = await version();
      expect(next).toBeGreaterThan(last);
      expect(next).toBeLessThan(BigInt(Number.MAX_SAFE_INTEGER) / 2n);
      last = next;
    }
  });
});

describe('an insertion whose turn comes too late', () => {
  it('puts nothing there, where nobody waits for it any more', async () => {
    const table = newTable();
    const store = open({ table, commandTimeoutMs: 300 });
    await store.read('key');
    const { values } = new PostgresTable(table).delete('key', 0n, false);
    const inTheWay = await server.admin.connect();
    try {
      await inTheWay.query('BEGIN');
      await inTheWay.query('SELECT pg_advisory_xact_lock($1)', [values[2]]);
      await expect(store.write('key', A, null)).rejects.toThrow('no answer of PostgreSQL within');
      await inTheWay.query('COMMIT');
      const waiting = `SELECT FROM pg_stat_activity WHERE wait_event = 'advisory'`;
      await until('nobody waits', async () => (await server.admin.query(waiting)).rowCount === 0);
      await sleep(200);
      expect(await store.read('key')).toBeNull();
      expect(await store.write('key', A, null)).toMatchObject({ ok: true });
    } finally {
      inTheWay.release(true);
    }
  });
});

describe('the table', () => {
  const rejection = (work: Promise<unknown>): Promise<Error> =>
    work.then(
      () => new Error('it was done'),
      (e: Error) => e,
    );

  it('is created once by many at the same time', async () => {
    const table = newTable();
    const stores = Array.from({ length: 12 }, () => open({ table, pool: pool({ max: 2 }) }));
    const written = await Promise.all(stores.map((store) => store.write('key', A, null)));
    expect(written.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('is made by the SQL for migrations, in a schema too, and made twice is the same', async () => {
    await server.admin.query('CREATE SCHEMA IF NOT EXISTS locks');
    const table = `locks.${newTable()}`;
    const store = open({ table, createTable: false });
    expect(await rejection(store.read('key'))).toMatchObject({
      code: 'LOCK_CONFIG',
      message: expect.stringContaining('give createTable: true, or run the SQL of postgresTableSql()'),
    });
    await server.admin.query(postgresTableSql(table));
    const written = await store.write('key', A, null);
    await server.admin.query(postgresTableSql(table));
    expect(await store.read('key')).toEqual({ version: written.ok && written.version, value: A });
  });

  it('is the same on connections that look for names elsewhere: the one in public, where no schema is given', async () => {
    await server.admin.query('CREATE SCHEMA elsewhere');
    const table = newTable();
    const elsewhere = { pool: pool({ options: '-c search_path=elsewhere' }), table };
    const written = await open(elsewhere).write('key', A, null);
    expect(await open({ table }).read('key')).toEqual({ version: written.ok && written.version, value: A });
    expect(await open({ table: `public.${table}` }).write('key', B, null)).toMatchObject({ ok: false });
    const { rows } = await server.admin.query('SELECT schemaname FROM pg_tables WHERE tablename = $1', [table]);
    expect(rows).toEqual([{ schemaname: 'public' }]);
  });

  it('is used by who may create nothing, and nothing more than what is said to be needed', async () => {
    const [table, role] = [newTable(), 'may little'];
    await open({ table }).read('key');
    await server.admin.query(`CREATE ROLE "${role}" LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    const store = open({ table, pool: pool({ user: role }) });
    expect(await rejection(store.write('key', A, null))).toMatchObject({
      code: 'LOCK_CONFIG',
      message: expect.stringContaining(
        'grant SELECT, INSERT, UPDATE and DELETE on the table, and USAGE on its sequence',
      ),
    });
    await server.admin.query(`
      GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO "${role}";
      GRANT USAGE ON SEQUENCE ${table}_version TO "${role}"`);
    const written = await store.write('key', A, null);
    expect(written.ok && (await store.write('key', B, written.version))).toMatchObject({ ok: true });
    expect(await rejection(open({ table: newTable(), pool: pool({ user: role }) }).read('key'))).toBeInstanceOf(
      LockConfigError,
    );
  });

  it.each(['', 'a"b', 'a;b', 'a.b.c', '1a', 'a b', 'a'.repeat(52), '.a', 'a.'])('is not called %j', (table) => {
    expect(() => postgresTableSql(table)).toThrow(LockConfigError);
  });

  it('of something else is told from one of locks', async () => {
    const table = newTable();
    await server.admin.query(`CREATE TABLE ${table} (id serial)`);
    expect(await rejection(open({ table }).read('key'))).toMatchObject({
      code: 'LOCK_CONFIG',
      message: expect.stringContaining('the table is not one of locks'),
    });
  });
});
