import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isLockError, LockBackendError, LockUnavailableError } from '../../lib/core/index.js';
import { type Pgbouncer, startPgbouncer } from '../support/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';
import { openStore } from './cas-stores.js';
import { Traffic } from './cas-traffic.js';

jest.setTimeout(240_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

function open(name: string, url = server.url) {
  const address = { kind: 'postgres', url: `${url}?application_name=${name}`, max: 4, commandTimeoutMs: 500 } as const;
  return Array.from({ length: 3 }, () => openStore(address));
}

describe('locks on PostgreSQL', () => {
  it('stay locks when it is killed and started again, and say meanwhile what is wrong', async () => {
    await using traffic = new Traffic(open('killed'));
    for (const signal of ['SIGKILL', 'SIGQUIT', 'SIGKILL'] as const) {
      await traffic.moves();
      await server.kill(signal);
      const [before, locks] = [traffic.errors.length, traffic.locks];
      const error = await until('callers are told', () => {
        return traffic.errors.slice(before).find((each) => each instanceof LockBackendError);
      });
      expect(String(error.cause)).toMatch(/ECONNREFUSED|terminat|shutting down|starting up|reset|shutdown/i);
      // Those who were inside come out; nobody comes in.
      expect(traffic.locks).toBeLessThan(locks + 12);
      await server.restart();
    }
    await traffic.moves();
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
    await until('nothing is left', async () => (await server.connections('killed')) === 0);
  });

  it('stay locks while their connections are terminated over and over, and leak none', async () => {
    const stores = open('terminated');
    await using traffic = new Traffic(stores);
    await traffic.moves();
    let terminated = 0;
    for (let round = 0; round < 60; round += 1) {
      const { rowCount } = await server.admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'terminated' AND random() < 0.5`,
      );
      terminated += rowCount ?? 0;
      expect(await server.connections('terminated')).toBeLessThanOrEqual(3 * 4);
      await sleep(50);
    }
    expect(terminated).toBeGreaterThan(30);
    await traffic.moves();
    for (const { pool } of stores) await until('nobody waits for a connection', () => pool!.waitingCount === 0);
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
    for (const error of traffic.errors) expect(isLockError(error)).toBe(true);
    await until('nothing is left', async () => (await server.connections('terminated')) === 0);
  });

  it('that does not answer are not believed to be free or busy', async () => {
    await using traffic = new Traffic(open('stopped'));
    await traffic.moves();
    const { rows } = await server.admin.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'stopped'`,
    );
    // Children of our server: those of the connections, and the one who would accept new ones.
    const pids = [server.pid, ...rows.map(({ pid }) => pid)];
    const before = traffic.errors.length;
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await until('callers are told', () =>
        traffic.errors.slice(before).some((each) => each instanceof LockBackendError),
      );
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    await traffic.moves();
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
  });
});

describe('locks on PostgreSQL, behind a pooler in transaction mode', () => {
  let pooler: Pgbouncer;
  beforeAll(async () => {
    pooler = await startPgbouncer(server, 3);
  });
  afterAll(() => pooler.stop());

  it('stay locks, are waited for though nothing is heard, and leave nothing in its connections', async () => {
    await using traffic = new Traffic(open('pooled', pooler.url));
    await traffic.moves(60);
    expect(await server.connections('pooled')).toBeLessThanOrEqual(3);
    await pooler.restart();
    await traffic.moves(30);
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
    for (const error of traffic.errors) {
      expect([LockUnavailableError, LockBackendError].some((kind) => error instanceof kind)).toBe(true);
    }
    const advisory = await server.admin.query(`SELECT FROM pg_locks WHERE locktype = 'advisory'`);
    expect(advisory.rowCount).toBe(0);
  });
});
