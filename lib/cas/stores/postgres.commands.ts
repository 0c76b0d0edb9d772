import type { Pool, PoolClient, QueryConfig, TransactionStatus } from 'pg';
import { LockConfigError } from '../../core/errors.js';
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
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly pool: Pool,
    readonly timeoutMs: number,
  ) {
    // Without any listener, an idle connection that is lost ends the process.
    pool.on('error', ignore);
  }

  /** Rejects with what `classified` makes of a failure. */
  async run(statement: Statement): Promise<readonly Row[]> {
    const running = this.answer(statement);
    this.running.add(running);
    try {
      return await running;
    } finally {
      this.running.delete(running);
    }
  }

  /** Resolves when nothing of the pool is used any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.running);
    this.pool.off('error', ignore);
  }

  private async answer({ text, values }: Statement): Promise<readonly Row[]> {
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
      const status = transactionStatusOf(client);
      if (status === undefined) {
        giveBack(client, true);
        throw new LockConfigError(
          'postgres: this version of pg does not tell whether a connection of the pool is in a transaction: ' +
            'update pg to 8.21 or later',
        );
      }
      if (status !== 'T' && status !== 'E') return client;
      // Somebody gave it back without ending what they had begun. They would take the locks back with it.
      giveBack(client, false);
    }
  }

  private async connection(): Promise<PoolClient> {
    const coming = new Promise<PoolClient>((resolve, reject) => {
      this.pool.connect((error, client) => {
        // At once: it may be lost before the promise is looked at, and nobody else listens.
        client?.on('error', ignore);
        if (client === undefined) reject(error!);
        else resolve(client);
      });
    });
    try {
      return await inTime(coming, this.timeoutMs, 'no connection of the pool is free, or none can be made,');
    } catch (error) {
      // It may still come.
      coming.then(
        (client) => giveBack(client, true),
        () => undefined,
      );
      throw classified(error);
    }
  }
}

/** A connection that is not usable, or may still be busy, is closed. */
export function giveBack(client: PoolClient, usable: boolean): void {
  client.release(!usable);
  client.off('error', ignore);
}

/** undefined: this version of pg does not tell. */
function transactionStatusOf(client: Partial<PoolClient>): TransactionStatus | undefined {
  return client.getTransactionStatus?.();
}

function ignore(): void {}
