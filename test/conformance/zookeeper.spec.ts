import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { type LockBackend } from '../../lib/core/backend.js';
import { describeBackendConformance } from '../../lib/testing/index.js';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { startZooKeeperProxy } from '../support/zookeeper-proxy.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';

jest.setTimeout(120_000);

const SESSION_MS = 1_600;

conformance('one server', async () => {
  const server = await startZooKeeperServer();
  return { servers: [server], stop: () => server.stop() };
});

interface Started {
  readonly servers: readonly ZooKeeperServer[];
  readonly stop: () => Promise<unknown>;
}

function conformance(name: string, start: () => Promise<Started>): void {
  describe(`zookeeper, ${name}`, () => {
    const proxies = new Map<LockBackend, readonly TcpProxy[]>();
    let started: Started;
    let empty: number;
    beforeAll(async () => {
      started = await start();
      empty = await started.servers[0]!.fact('zk_znode_count');
    });
    afterAll(async () => {
      for (const proxy of [...proxies.values()].flat()) proxy.close();
      await started.stop();
    });

    describeBackendConformance({
      name: `zookeeper, ${name}`,
      connect: async () => {
        const own = await Promise.all(started.servers.map(startZooKeeperProxy));
        const connect = own.map(({ port }) => `127.0.0.1:${port}`).join(',');
        const backend = new ZooKeeperBackend({ connect, sessionTimeoutMs: SESSION_MS });
        proxies.set(backend, own);
        return backend;
      },
      silence: async (backend) => {
        const all = proxies.get(backend)!;
        for (const { toServer, toClient } of all) {
          toServer.blackHole();
          toClient.blackHole();
        }
        return async () => {
          for (const { toServer, toClient } of all) {
            toServer.pass();
            toClient.pass();
          }
        };
      },
      // The root is made once.
      residue: async () => Math.max(0, (await started.servers[0]!.fact('zk_znode_count')) - empty - 1),
      leaseMs: 500,
    });
  });
}
