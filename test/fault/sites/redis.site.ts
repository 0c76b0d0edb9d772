import { RedisServer, startRedisServer } from '../../support/redis-server.js';
import { type Fault, type Site } from '../site.js';

/** A Redis that keeps what it has confirmed, over its death, too. */
export async function startRedisSite(): Promise<Site> {
  const server = await startRedisServer({ config: { appendonly: 'yes', appendfsync: 'always' } });
  return {
    name: 'redis',
    exclusion: true,
    leaseMs: 1_500,
    ports: [server.port],
    address: ([port]) => ({ kind: 'redis', port: port! }),
    faults: [
      {
        name: 'Redis is killed and started again',
        inject: async () => {
          await server.kill();
          await server.restart();
        },
      },
      ...stops(server),
      { name: 'Redis forgets its scripts', inject: async () => void (await server.admin.script('FLUSH')) },
      {
        name: 'Redis throws its clients out',
        inject: async () => void (await server.admin.client('KILL', 'TYPE', 'NORMAL')),
      },
      {
        name: 'Redis throws its listeners out',
        inject: async () => void (await server.admin.client('KILL', 'TYPE', 'PUBSUB')),
      },
    ],
    stop: () => server.stop(),
  };
}

export function stops(server: RedisServer): readonly Fault[] {
  return [
    { name: 'Redis is stopped for less than a lease', inject: (world) => stopped(() => world.lasts(0.2, 0.6)) },
    { name: 'Redis is stopped for more than a lease', inject: (world) => stopped(() => world.lasts(1.2, 1.6)) },
  ];

  async function stopped(lasts: () => Promise<void>): Promise<void> {
    server.pause();
    await lasts();
    server.resume();
  }
}
