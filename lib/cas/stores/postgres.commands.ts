import type { Pool, PoolClient, QueryConfig } from 'pg';
import { inTime } from './in-time.js';
import { classified, isRefusal } from './postgres.errors.js';
import { type Statement } from './postgres.table.js';

/** All that statements answer. Never what a pool was taught to make of it: versions are more than some take a bigint for. */
export interface Row {
  readonly what: string | null;
  readonly version: string | null;
  readonly value: string | null;
}

const AS_TEXT = { getTypeParser: () => String };

/** Runs statements on connections of a pool that is somebody else's, each in bounded time and outside of transactions. */
export class PostgresCommands {
  constructor(
    private readonly pool: Pool,
    readonly timeoutMs: number,
  ) {
    // Without any listener, an idle connection that is lost ends the process.
    pool.on('error', ignore);
  }

  /** Rejects with what `classified` makes of a failure. */
  async run({ text, values }: Statement): Promise<readonly Row[]> {
    const deadline = performance.now() + this.timeoutMs;
    const client = await this.borrow();
    let usable = false;
    try {
      const left = Math.max(1, deadline - performance.now());
      const query = client.query<Row>({ text, values, types: AS_TEXT } as QueryConfig);
      const { rows } = await inTime(query, left, 'no answer of PostgreSQL');
      usable = true;
      return rows ?? [];
    } catch (error) {
      usable = isRefusal(error);
      throw classified(error);
    } finally {
      giveBack(client, usable);
    }
  }

  /** A connection that nobody else uses. Give it back. */
  async borrow(): Promise<PoolClient> {
    for (;;) {
      const client = await this.connection();
      client.on('error', ignore);
      if (!inTransaction(client)) return client;
      // Somebody gave it back without ending what they had begun. They would take the locks back with it.
      giveBack(client, false);
    }
  }

  private async connection(): Promise<PoolClient> {
    const coming = this.pool.connect();
    try {
      return await inTime(coming, this.timeoutMs, 'no connection of the pool is free, or none can be made,');
    } catch (error) {
      // It may still come.
      coming.then(
        (client) => client.release(),
        () => undefined,
      );
      throw classified(error);
    }
  }

  close(): void {
    this.pool.off('error', ignore);
  }
}

/** A connection that is not usable, or may still be busy, is closed. */
export function giveBack(client: PoolClient, usable: boolean): void {
  client.release(!usable);
  client.off('error', ignore);
}

function inTransaction(client: PoolClient): boolean {
  // What older versions of pg do not tell is taken for granted.
  return ['T', 'E'].includes((client as Partial<PoolClient>).getTransactionStatus?.() ?? 'I');
}

function ignore(): void {}
