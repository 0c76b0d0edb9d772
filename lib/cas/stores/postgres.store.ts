import pg, { type Pool } from 'pg';
import { LockConfigError } from '../../core/errors.js';
import { type CasStore, type Version, type Versioned, type Written } from '../cas.store.js';
import { isSerializationFailure } from './postgres.errors.js';
import { PostgresCommands, type Row } from './postgres.commands.js';
import { PostgresListener } from './postgres.listener.js';
import { PostgresTable, type Statement } from './postgres.table.js';
import { Watchers } from './watchers.js';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database`: with a pool of the store's own, which is closed with it. */
  readonly url?: string;
  /**
   * Or a Pool of `pg`, which stays yours: it is never closed or reconfigured. End it when the application has closed. Best
   * one that only locks use: where callers hold connections while they wait for a lock, locks may otherwise find none
   * free. It needs two at least.
   */
  readonly pool?: Pool;
  /** `nestjs_locks`, which is in `public`; or with a schema `locks.nestjs_locks`. Upper and lower case differ. */
  readonly table?: string;
  /** Creates the table if it is not there, which takes the right to. Or run the SQL of `postgresTableSql()` yourself. */
  readonly createTable?: boolean;
  /**
   * Whether changes are told by NOTIFY, and heard by LISTEN on one connection of the pool: true. Where nothing is heard, as
   * behind a pooler in transaction mode, waiters ask every now and then, whatever is said here; false saves them trying.
   * The same for all who share a table.
   */
  readonly listen?: boolean;
  /** After this much silence a statement, or the wait for a connection, is given up: 3000. */
  readonly commandTimeoutMs?: number;
}

const LIST_PAGE = 1_000;

/**
 * Keeps lines in a table of PostgreSQL 12 or later, each write in one statement. On a database that confirms what it may
 * forget (`synchronous_commit = off`, a standby that takes over and was behind), so may the locks.
 */
export class PostgresStore implements CasStore {
  readonly name = 'postgres';
  readonly watch?: (key: string, changed: () => void) => () => void;
  private readonly table: PostgresTable;
  private readonly commands: PostgresCommands;
  private readonly watchers = new Watchers();
  private readonly listener: PostgresListener | undefined;
  private readonly createTable: boolean;
  private ownPool: Pool | undefined;
  private created: Promise<void> | undefined;

  /** @throws LockConfigError for an option that cannot be. */
  constructor({
    url,
    pool,
    table,
    createTable = false,
    listen = true,
    commandTimeoutMs = 3_000,
  }: PostgresStoreOptions) {
    checkConnection(url, pool);
    if (!(commandTimeoutMs >= 1 && commandTimeoutMs <= 2 ** 31 - 1)) {
      throw new LockConfigError('commandTimeoutMs must be a number of milliseconds, 1 at least');
    }
    this.table = new PostgresTable(table);
    if (url !== undefined) {
      // By itself a pool waits for ever for a server that says nothing to a new connection, and has room for ten of those.
      this.ownPool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: commandTimeoutMs });
    }
    this.commands = new PostgresCommands((pool ?? this.ownPool)!, commandTimeoutMs);
    this.createTable = createTable;
    if (!listen) return;
    const listener = new PostgresListener(this.commands, this.table, this.watchers);
    this.listener = listener;
    this.watch = (key, changed) => {
      listener.start();
      return this.watchers.add(this.table.topicOf(key), changed);
    };
  }

  async read(key: string): Promise<Versioned | null> {
    const [row] = await this.run(this.table.read(key));
    return row === undefined ? null : versioned(row);
  }

  async write(key: string, next: Uint8Array | null, expected: Version | null): Promise<Written> {
    if (next === null && expected === null) {
      const current = await this.read(key);
      return current === null ? { ok: true, version: 0n } : { ok: false, current };
    }
    const current = await this.replace(this.statement(key, next, expected));
    if (typeof current === 'bigint') return { ok: true, version: current };
    // What it has seen before it waited for others is what was expected, and is no more.
    const outdated = current === undefined || (current?.version ?? null) === expected;
    return { ok: false, current: outdated ? await this.read(key) : current };
  }

  async *list(prefix: string): AsyncIterable<string> {
    let last: Uint8Array = Buffer.alloc(0);
    for (;;) {
      const rows = await this.run(this.table.list(prefix, last, LIST_PAGE));
      for (const { value } of rows) yield (last = Buffer.from(value!, 'base64')).toString();
      if (rows.length < LIST_PAGE) return;
    }
  }

  async close(): Promise<void> {
    await this.listener?.close();
    await this.commands.close();
    const { ownPool } = this;
    this.ownPool = undefined;
    await ownPool?.end();
  }

  /** The version written; or what is there; or undefined where that is not known. */
  private async replace(statement: Statement): Promise<Version | Versioned | null | undefined> {
    try {
      const [row] = await this.run(statement);
      if (row === undefined) return null;
      return row.what === 'written' ? BigInt(row.version!) : versioned(row);
    } catch (error) {
      // Undone because of another write, where the database isolates more strictly than it has to.
      if (isSerializationFailure(error)) return undefined;
      throw error;
    }
  }

  private statement(key: string, next: Uint8Array | null, expected: Version | null): Statement {
    const tells = this.listener !== undefined;
    if (expected === null) return this.table.insert(key, next!, this.commands.timeoutMs, tells);
    return next === null ? this.table.delete(key, expected, tells) : this.table.update(key, next, expected, tells);
  }

  private async run(statement: Statement): Promise<readonly Row[]> {
    if (this.createTable) await (this.created ??= this.create());
    return this.commands.run(statement);
  }

  private async create(): Promise<void> {
    try {
      // Without the right to create anything, even what is there cannot be created IF NOT EXISTS.
      const [found] = await this.commands.run(this.table.exists());
      if (found?.what === null) await this.commands.run(this.table.create());
    } catch (error) {
      this.created = undefined;
      throw error;
    }
  }
}

/** Nothing of a URL is shown: there may be a password in it. */
function checkConnection(url: unknown, pool: Partial<Pool> | undefined): void {
  if ((url === undefined) === (pool === undefined)) {
    throw new LockConfigError('give either url or pool: is a setting missing?');
  }
  if (pool !== undefined && (typeof pool?.connect !== 'function' || typeof pool.totalCount !== 'number')) {
    throw new LockConfigError('pool must be a Pool of pg: a Client may be in the middle of a transaction');
  }
  if (url !== undefined && !/^postgres(ql)?:$/.test(URL.canParse(String(url)) ? new URL(String(url)).protocol : '')) {
    throw new LockConfigError('url must look like postgres://user:password@host:5432/database; or give a pool');
  }
}

function versioned({ version, value }: Row): Versioned {
  return { version: BigInt(version!), value: Buffer.from(value!, 'base64') };
}
