import { afterAll, beforeAll, describe } from '@jest/globals';
import type pg from 'pg';
import { CasBackend } from '../../lib/cas/index.js';
import { PostgresStore } from '../../lib/cas/postgres/index.js';
import { describeBackendConformance } from '../../lib/conformance/index.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';

describe('PostgreSQL', () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startPostgres();
    pool = server.pool({ max: 40 });
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  describeBackendConformance({
    name: 'compare-and-swap on PostgreSQL',
    connect: () => new CasBackend({ store: new PostgresStore({ pool, createTable: true }) }),
    residue: async () => {
      const { rows } = await server.admin.query<{ count: number }>('SELECT count(*)::int AS count FROM nestjs_locks');
      return rows[0]!.count;
    },
  });
});
