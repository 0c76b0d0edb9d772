import { freePort } from './free-port.js';
import { until } from './until.js';
import { ZooKeeperServer, type ZooKeeperServerOptions } from './zookeeper-server.js';

/** Three servers that elect a leader among them. */
export class ZooKeeperEnsemble {
  readonly connect: string;

  constructor(readonly servers: readonly ZooKeeperServer[]) {
    this.connect = servers.map(({ connect }) => connect).join(',');
  }

  async leader(): Promise<ZooKeeperServer> {
    return until('there is a leader', async () => {
      for (const server of this.servers) if ((await stateOf(server)) === 'leader') return server;
      return undefined;
    });
  }

  async followers(): Promise<readonly ZooKeeperServer[]> {
    const leader = await this.leader();
    return this.servers.filter((server) => server !== leader);
  }

  /** Resolves when all that run serve. */
  async serves(): Promise<void> {
    await Promise.all(
      this.servers.map((server) =>
        until(
          'a server of the ensemble serves',
          async () => ['leader', 'follower'].includes(await stateOf(server)),
          60_000,
        ),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

export async function startZooKeeperEnsemble(options: ZooKeeperServerOptions = {}): Promise<ZooKeeperEnsemble> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await Promise.all(Array.from({ length: 9 }, freePort));
    const peers = Object.fromEntries(
      [0, 1, 2].map((n) => [`server.${n + 1}`, `127.0.0.1:${ports[3 * n + 1]}:${ports[3 * n + 2]}`]),
    );
    const config = { initLimit: 25, syncLimit: 10, ...peers, ...options.config };
    const servers = [0, 1, 2].map((n) => new ZooKeeperServer(ports[3 * n]!, { ...options, config }, n + 1));
    const ensemble = new ZooKeeperEnsemble(servers);
    try {
      await Promise.all(servers.map((server) => server.restart({ waits: false })));
      await ensemble.serves();
      return ensemble;
    } catch (error) {
      await ensemble.stop();
      if (attempt === 3) throw error;
    }
  }
}

async function stateOf(server: ZooKeeperServer): Promise<string> {
  return (await server.facts().catch(() => new Map<string, string>())).get('zk_server_state') ?? 'none';
}
