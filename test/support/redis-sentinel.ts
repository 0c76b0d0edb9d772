import { type RedisServer, startRedisServer } from './redis-server.js';
import { until } from './until.js';

const NAME = 'locks';

/**
 * Sentinels that look often, so that they find each other and a new master in no time. Redis 7 and later. A replica is
 * no candidate if it was last heard of 5 ping periods ago, and while the master is down it is asked once in a second.
 */
const HASTE = ['publish-period', 100, 'info-period', 200, 'ping-period', 400, 'ask-period', 100];
/** A sentinel that was not scheduled for 2 s would do nothing for 30 s. */
const PATIENCE = ['tilt-trigger', 15_000, 'tilt-period', 1_000];

export interface SentinelSetUpOptions {
  /** After this silence a sentinel takes the master for dead. Long, so that a busy machine causes no failover. */
  readonly downAfterMs?: number;
}

/** A master, a replica of it, and three sentinels that know it all. */
export async function startRedisSentinel({ downAfterMs = 10_000 }: SentinelSetUpOptions = {}): Promise<SentinelSetUp> {
  const started: RedisServer[] = [];
  const start = async (...options: Parameters<typeof startRedisServer>): Promise<RedisServer> => {
    const server = await startRedisServer(...options);
    started.push(server);
    return server;
  };
  try {
    // With a file: without one, a master trusts a new replica only after a second.
    const config = { 'repl-diskless-sync': 'no' };
    const master = await start({ config });
    const replica = await start({ config: { ...config, replicaof: `127.0.0.1 ${master.port}` } });
    // Before there are sentinels: one that asks the master too early for its replicas would ask again after 10 s.
    await until('the replica follows', async () => (await master.admin.info('replication')).includes('state=online'));
    const monitoring = {
      sentinel: [
        `monitor ${NAME} 127.0.0.1 ${master.port} 2`,
        `down-after-milliseconds ${NAME} ${downAfterMs}`,
        `failover-timeout ${NAME} 2000`,
      ],
    };
    const sentinels = await Promise.all([1, 2, 3].map(() => start({ config: monitoring, sentinel: true })));
    const setUp = new SentinelSetUp(master, replica, sentinels);
    await setUp.ready();
    return setUp;
  } catch (error) {
    await Promise.all(started.map((server) => server.stop()));
    throw error;
  }
}

export class SentinelSetUp {
  /** For `new Redis(options)`. */
  readonly options: { readonly name: string; readonly sentinels: { host: string; port: number }[] };

  constructor(
    /** Of now. */
    public master: RedisServer,
    public replica: RedisServer,
    readonly sentinels: readonly RedisServer[],
  ) {
    this.options = { name: NAME, sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })) };
  }

  async ready(): Promise<void> {
    await Promise.all(
      this.sentinels.map(async ({ admin }) => {
        // Unknown to Redis 6: then it takes some seconds longer.
        await admin.call('SENTINEL', 'DEBUG', ...HASTE, ...PATIENCE).catch(() => undefined);
        await until('a sentinel knows the replica and the other sentinels', async () => {
          const facts = (await admin.call('SENTINEL', 'MASTER', NAME)) as string[];
          const fact = (name: string): string => facts[facts.indexOf(name) + 1]!;
          return fact('num-slaves') === '1' && fact('num-other-sentinels') === '2' && fact('flags') === 'master';
        });
      }),
    );
  }

  /**
   * Kills the master and waits until the replica is master and all sentinels say so. What is written in `lost` is
   * acknowledged by the old master and unknown to the new one; be done with it in some seconds.
   */
  async failover(lost?: () => Promise<unknown>): Promise<void> {
    const { master, replica } = this;
    if (lost !== undefined) {
      // A paused replica alone would find in its socket what the master sent it meanwhile.
      replica.pause();
      await master.admin.client('KILL', 'TYPE', 'REPLICA');
      await lost();
    }
    await master.kill();
    replica.resume();
    for (const { admin } of this.sentinels) await admin.call('SENTINEL', 'SET', NAME, 'down-after-milliseconds', 500);
    await until('all sentinels name the new master', async () => {
      const named = this.sentinels.map(({ admin }) => admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME));
      const ports = (await Promise.all(named)).map((address) => Number((address as string[])[1]));
      return ports.every((port) => port === replica.port) && (await replica.admin.role())[0] === 'master';
    });
    this.master = replica;
    this.replica = master;
  }

  async stop(): Promise<void> {
    await Promise.all([this.master, this.replica, ...this.sentinels].map((server) => server.stop()));
  }
}
