import { freePort } from './free-port.js';
import { type RedisServer, startRedisServer } from './redis-server.js';
import { until } from './until.js';

const SLOTS = 16_384;

export interface ClusterSetUp {
  readonly nodes: readonly RedisServer[];
  /** For `new Cluster(startupNodes)`. */
  readonly startupNodes: { host: string; port: number }[];
  stop(): Promise<void>;
}

/** Three masters with a third of the slots each, and no replicas. Redis 7 or later. */
export async function startRedisCluster(): Promise<ClusterSetUp> {
  const started: { server: RedisServer; busPort: number }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(({ server }) => server.stop()));
  };
  try {
    await Promise.all([1, 2, 3].map(async () => started.push(await startNode())));
    await Promise.all(
      started.map(({ server: { admin } }, index) => admin.call('CLUSTER', 'ADDSLOTSRANGE', ...third(index))),
    );
    // Everybody to everybody: gossip would take some seconds to introduce those who were not.
    for (const { server } of started) {
      for (const { server: other, busPort } of started) {
        if (other !== server) await server.admin.call('CLUSTER', 'MEET', '127.0.0.1', other.port, busPort);
      }
    }
    // Takes 2 s: so long a node does not trust itself after its start.
    await Promise.all(started.map(({ server }) => until('a node sees the cluster whole', () => whole(server))));
  } catch (error) {
    await stop();
    throw error;
  }
  const nodes = started.map(({ server }) => server);
  return { nodes, startupNodes: nodes.map(({ port }) => ({ host: '127.0.0.1', port })), stop };
}

async function startNode(): Promise<{ server: RedisServer; busPort: number }> {
  let busPort = 0;
  const server = await startRedisServer({
    config: async () => {
      busPort = await freePort();
      return {
        'cluster-enabled': 'yes',
        // By default 10000 above the other one, where there may be no port.
        'cluster-port': busPort,
        'cluster-announce-ip': '127.0.0.1',
        // Long, so that a busy machine fails no node.
        'cluster-node-timeout': 10_000,
      };
    },
  });
  return { server, busPort };
}

function third(index: number): [first: number, last: number] {
  return [Math.ceil((index * SLOTS) / 3), Math.ceil(((index + 1) * SLOTS) / 3) - 1];
}

async function whole({ admin }: RedisServer): Promise<boolean> {
  const info = String(await admin.cluster('INFO'));
  return ['cluster_state:ok', `cluster_slots_ok:${SLOTS}`, 'cluster_size:3'].every((fact) => info.includes(fact));
}
