import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { type LockBackend } from '../../lib/core/backend.js';
import { describeBackendConformance } from '../../lib/conformance/index.js';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';
import { startZooKeeperEnsemble } from '../support/zookeeper-ensemble.js';
import { ZooKeeperProxies } from '../support/zookeeper-proxies.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';

jest.setTimeout(120_000);

const SESSION_MS = 1_600;

conformance('one server', async () => {
  const server = await startZooKeeperServer();
  return { servers: [server], stop: () => server.stop() };
});

conformance('an ensemble', async () => {
  const ensemble = await startZooKeeperEnsemble();
  return { servers: ensemble.servers, stop: () => ensemble.stop() };
});

interface Started {
  readonly servers: readonly ZooKeeperServer[];
  readonly stop: () => Promise<unknown>;
}

function conformance(name: string, start: () => Promise<Started>): void {
  describe(`zookeeper, ${name}`, () => {
    const ports = new Map<LockBackend, readonly number[]>();
    let proxies: ZooKeeperProxies;
    let started: Started;
    let empty: number;
    beforeAll(async () => {
      proxies = new ZooKeeperProxies();
      started = await start();
      empty = await started.servers[0]!.fact('zk_znode_count');
    });
    afterAll(async () => {
      await proxies.stop();
      await started.stop();
    });

    describeBackendConformance({
      name: `zookeeper, ${name}`,
      connect: async () => {
        const own = await Promise.all(started.servers.map(({ port }) => proxies.open(port)));
        const connect = own.map((port) => `127.0.0.1:${port}`).join(',');
        const backend = new ZooKeeperBackend({ connect, sessionTimeoutMs: SESSION_MS });
        ports.set(backend, own);
        return backend;
      },
      silence: async (backend) => {
        const own = ports.get(backend)!;
        await Promise.all(own.map((port) => proxies.turn(port, 'blackHole')));
        return async () => void (await Promise.all(own.map((port) => proxies.turn(port, 'pass'))));
      },
      // The root is made once, and stays.
      residue: async () => Math.max(0, (await started.servers[0]!.fact('zk_znode_count')) - empty - 1),
      leaseMs: 500,
    });
  });
}
