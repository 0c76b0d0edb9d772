import { startZooKeeperEnsemble } from '../../support/zookeeper-ensemble.js';
import { type ZooKeeperServer } from '../../support/zookeeper-server.js';
import { type Site } from '../site.js';
import { type World } from '../world.js';

const SESSION_MS = 3_000;

/** An ensemble of three. */
export async function startZooKeeperSite(): Promise<Site> {
  const ensemble = await startZooKeeperEnsemble({ config: { syncLimit: 5, initLimit: 10 } });
  return {
    name: 'zookeeper',
    exclusion: true,
    // What a backend is told is half of the session.
    leaseMs: SESSION_MS / 2,
    ports: ensemble.servers.map(({ port }) => port),
    address: (ports) => ({ kind: 'zookeeper', ports, sessionTimeoutMs: SESSION_MS }),
    faults: [
      { name: 'the leader of ZooKeeper is killed', inject: async () => killed(await ensemble.leader()) },
      { name: 'the leader of ZooKeeper is stopped', inject: async (world) => stopped(await ensemble.leader(), world) },
      { name: 'a follower of ZooKeeper is killed', inject: async (world) => killed(await follower(world)) },
      { name: 'a follower of ZooKeeper is stopped', inject: async (world) => stopped(await follower(world), world) },
      { name: 'ZooKeeper is restarted, server by server', inject: restartedInTurn },
    ],
    stop: () => ensemble.stop(),
  };

  async function follower(world: World): Promise<ZooKeeperServer> {
    return world.oneOf(await ensemble.followers());
  }

  async function killed(server: ZooKeeperServer): Promise<void> {
    await server.kill();
    await server.restart({ waits: false });
    await ensemble.serves();
  }

  async function stopped(server: ZooKeeperServer, world: World): Promise<void> {
    server.pause();
    await world.lasts(1, 2);
    server.resume();
    await ensemble.serves();
  }

  async function restartedInTurn(): Promise<void> {
    for (const server of ensemble.servers) {
      await server.kill('SIGTERM');
      await server.restart({ waits: false });
      await ensemble.serves();
    }
  }
}
