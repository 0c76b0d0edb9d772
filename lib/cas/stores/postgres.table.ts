import { createHash } from 'node:crypto';
import { LockConfigError } from '../../core/errors.js';
import { type Version } from '../cas.store.js';

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/**
 * The SQL that makes the table of a `PostgresStore`, for a migration. Run again, it changes nothing.
 *
 * The versions come from a sequence that does not belong to the table: a table that is dropped and made anew goes on with
 * larger ones, and fencing tokens with them.
 *
 * @throws LockConfigError for a name that is none.
 */
export function postgresTableSql(table?: string): string {
  return new PostgresTable(table).definition;
}

/**
 * The statements on one table. Each is a transaction of its own.
 *
 * **Versions must land in the order in which they are drawn.** One that is drawn for a key, and lands after another
 * insertion and a deletion, would be smaller than what the key has had. So whoever inserts draws when it is their turn, and
 * nobody deletes meanwhile: what is there when the number is drawn is still there when it would land, and keeps it out. An
 * update needs no turn: it draws when it has seen the version that it replaces.
 *
 * A statement sees the table as it was when the statement began, before it waited for anything.
 */
export class PostgresTable {
  /** Where changes are told of. */
  readonly channel: string;
  readonly definition: string;
  private readonly name: string;
  private readonly nextVersion: string;

  constructor(table = 'nestjs_locks') {
    // The sequence and the channel have to keep within the 63 bytes of a name. The schema is always named: connections may
    // differ in their search path, and would find two tables.
    const [, schema = 'public', own] = /^(?:([A-Za-z_]\w{0,62})\.)?([A-Za-z_]\w{0,50})$/.exec(String(table)) ?? [];
    if (own === undefined) {
      throw new LockConfigError(
        'table must be a name of up to 51 letters, digits and _, or two with a dot between them',
      );
    }
    const named = (name: string): string => `"${schema}"."${name}"`;
    const sequence = named(`${own}_version`);
    this.channel = `nestjs-lock:${own}`;
    this.name = named(own);
    this.nextVersion = `nextval('${sequence}')`;
    this.definition = [
      `CREATE SEQUENCE IF NOT EXISTS ${sequence} AS bigint MAXVALUE ${Number.MAX_SAFE_INTEGER} CACHE 1;`,
      `CREATE TABLE IF NOT EXISTS ${this.name} (key bytea PRIMARY KEY, value bytea NOT NULL, version bigint NOT NULL);`,
    ].join('\n');
  }

  /** What watchers of the key are told under: what is notified has to be short, and text. */
  topicOf(key: string): string {
    return this.digestOf(key).toString('hex', 8, 24);
  }

  exists(): Statement {
    return { text: `SELECT to_regclass($1)::text AS what`, values: [this.name] };
  }

  /** By one at a time: to create what somebody else creates is an error, IF NOT EXISTS or not. */
  create(): Statement {
    return { text: `SELECT pg_advisory_xact_lock(${this.turnOf('')});\n${this.definition}`, values: [] };
  }

  read(key: string): Statement {
    return { text: this.what('$1'), values: [bytesOf(key)] };
  }

  /** In the order of the keys, from behind one of them. */
  list(prefix: string, behind: Uint8Array, limit: number): Statement {
    const text = `SELECT encode(key, 'base64') AS value FROM ${this.name}
      WHERE key >= $1 AND key > $2 AND substring(key FOR octet_length($1::bytea)) = $1 ORDER BY key LIMIT $3`;
    return { text, values: [bytesOf(prefix), behind, limit] };
  }

  /** If its turn comes too late nothing is put there: nobody waits for the answer any more, or ever removes it. */
  insert(key: string, value: Uint8Array, withinMs: number, tells: boolean): Statement {
    const text = `WITH ${this.turn},
      written AS (
        INSERT INTO ${this.name} (key, value, version) SELECT $1, $4, ${this.nextVersion} FROM turn
        WHERE clock_timestamp() < statement_timestamp() + make_interval(secs => $5)
        ON CONFLICT (key) DO NOTHING RETURNING version)
      ${this.outcome}`;
    return { text, values: [...this.common(key, tells), this.turnOf(key), value, withinMs / 1_000] };
  }

  update(key: string, value: Uint8Array, expected: Version, tells: boolean): Statement {
    const text = `WITH written AS (
        UPDATE ${this.name} SET value = $3, version = ${this.nextVersion}
        WHERE key = $1 AND version = $4 RETURNING version)
      ${this.outcome}`;
    return { text, values: [...this.common(key, tells), value, String(expected)] };
  }

  delete(key: string, expected: Version, tells: boolean): Statement {
    const text = `WITH ${this.turn},
      written AS (DELETE FROM ${this.name} USING turn WHERE key = $1 AND version = $4 RETURNING version)
      ${this.outcome}`;
    return { text, values: [...this.common(key, tells), this.turnOf(key), String(expected)] };
  }

  notify(payload: string): Statement {
    return { text: `SELECT pg_notify($1, $2)::text AS what`, values: [this.channel, payload] };
  }

  /** What every write begins with: $1 and $2. */
  private common(key: string, tells: boolean): unknown[] {
    return [bytesOf(key), tells ? this.topicOf(key) : null];
  }

  private turnOf(key: string): string {
    return String(this.digestOf(key).readBigInt64BE());
  }

  private readonly turn = `turn AS MATERIALIZED (SELECT pg_advisory_xact_lock($3))`;

  private get outcome(): string {
    return `SELECT 'written' AS what, version::text AS version, NULL AS value,
        CASE WHEN $2::text IS NOT NULL THEN pg_notify('${this.channel}', $2)::text END AS told
      FROM written
      UNION ALL ${this.what('$1', `AND NOT EXISTS (SELECT FROM written)`, ', NULL')}`;
  }

  private what(key: string, condition = '', more = ''): string {
    return `SELECT 'there' AS what, version::text AS version, encode(value, 'base64') AS value${more}
      FROM ${this.name} WHERE key = ${key} ${condition}`;
  }

  /** Other programs take turns in the same database, and other tables of locks. */
  private digestOf(key: string): Buffer {
    return createHash('sha256').update(`nestjs-locked\0${this.name}\0${key}`).digest();
  }
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text);
}
