import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type EtcdServer, startEtcd, startEtcdCluster } from '../support/etcd-server.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { letCrowdsIn } from './cas-claimants.js';
import { violations } from './cas-history.js';
import { type StoreAddress } from './cas-stores.js';

jest.setTimeout(240_000);

crowds('PostgreSQL', async () => {
  const server: PostgresServer = await startPostgres();
  return { address: { kind: 'postgres', url: server.url }, stop: () => server.stop() };
});

crowds('etcd', async () => {
  const server: EtcdServer = await startEtcd();
  return { address: { kind: 'etcd', url: server.url }, stop: () => server.stop() };
});

crowds('a cluster of etcd', async () => {
  const servers = await startEtcdCluster();
  const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())));
  return { address: { kind: 'etcd', url: servers.map(({ url }) => url) }, stop };
});

function crowds(name: string, start: () => Promise<{ address: StoreAddress; stop: () => Promise<void> }>): void {
  describe(`60 claimants of all modes in 4 processes, on ${name}`, () => {
    let started: Awaited<ReturnType<typeof start>>;
    beforeAll(async () => {
      started = await start();
    });
    afterAll(() => started?.stop());

    it('never contradict each other, and write little', async () => {
      const { address } = started;
      const { holds, writes } = await letCrowdsIn(4, { address, key: 'crowd', claimants: 15, rounds: 3 });
      expect(holds).toHaveLength(180);
      expect(violations(holds)).toEqual([]);
      expect(writes).toHaveLength(180);
      const [median, most] = [writes[90]!, writes.at(-1)!];
      if (process.env['CAS_FIGURES']) console.log(`${name}: writes for a lock: median ${median}, most ${most}`);
      expect(median).toBeLessThanOrEqual(10);
    });
  });
}
