import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { type Site } from '../site.js';
import { type World } from '../world.js';

/** A Redis with a replica that takes over without the last writes, and that keeps nothing over its death. */
export async function startRedisFailoverSite(): Promise<Site> {
  const config = { 'repl-diskless-sync': 'no' };
  let master = await startRedisServer({ config });
  let replica = await startRedisServer({ config });
  await follow(replica, master);
  return {
    name: 'redis that forgets',
    exclusion: false,
    leaseMs: 1_500,
    get ports() {
      return [master.port];
    },
    address: ([port]) => ({ kind: 'redis', port: port! }),
    faults: [
      { name: 'a replica takes over, and knows nothing of the last writes', inject: failover },
      { name: 'Redis is killed, and comes back empty', inject: emptied },
    ],
    stop: async () => void (await Promise.all([master.stop(), replica.stop()])),
  };

  /** Until its replica is empty, too: one that took over with lines from before would bring back their places (docs/backends/redis.md). */
  async function emptied(): Promise<void> {
    await restartEmpty(master);
    await follow(replica, master);
  }

  async function failover(world: World): Promise<void> {
    // A replica that is only stopped would find in its socket what the master sent it meanwhile.
    replica.pause();
    await master.admin.client('KILL', 'TYPE', 'REPLICA');
    await world.lasts(0.1, 0.3);
    await master.kill();
    replica.resume();
    [master, replica] = [replica, master];
    await until('the replica is a master', async () => {
      await master.admin.replicaof('NO', 'ONE');
      return (await master.admin.role())[0] === 'master';
    });
    for (const link of world.links) link.lead([master.port]);
    await restartEmpty(replica);
    await follow(replica, master);
  }
}

/** What it wrote down to send it to a replica, or to read what it was sent, it would take for its own when it starts. */
async function restartEmpty(server: RedisServer): Promise<void> {
  await server.kill();
  rmSync(join(server.folder, 'dump.rdb'), { force: true });
  await server.restart();
}

async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await until('the replica follows', async () => {
    await replica.admin.replicaof('127.0.0.1', master.port);
    return (await master.admin.info('replication')).includes('state=online');
  });
}
