import { type EtcdServer, startEtcd } from '../../test/support/etcd-server.js';
import { type PostgresServer, startPostgres } from '../../test/support/postgres-server.js';
import { type RedisServer, startRedisServer } from '../../test/support/redis-server.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../../test/support/zookeeper-server.js';
import { Actor } from './actor.js';

/** The servers and processes of a run. Each is started when it is first needed. */
export class Stage implements AsyncDisposable {
  private readonly ends: (() => Promise<unknown>)[] = [];

  readonly redis = this.once(async () => this.ending(await startRedisServer(), (server: RedisServer) => server.stop()));
  readonly zooKeeper = this.once(async () =>
    this.ending(await startZooKeeperServer(), (server: ZooKeeperServer) => server.stop()),
  );
  readonly postgres = this.once(async () =>
    this.ending(await startPostgres(), (server: PostgresServer) => server.stop()),
  );
  readonly etcd = this.once(async () => this.ending(await startEtcd(), (server: EtcdServer) => server.stop()));

  /** Other processes, each of which has locks of its own. Whoever asks for them stops them. */
  actors(count: number): Promise<readonly Actor[]> {
    return Promise.all(Array.from({ length: count }, () => Actor.start()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.ends.toReversed()) await end();
  }

  private once<T>(start: () => Promise<T>): () => Promise<T> {
    let started: Promise<T> | undefined;
    return () => (started ??= start());
  }

  private ending<T>(started: T, end: (started: T) => Promise<unknown>): T {
    this.ends.push(() => end(started));
    return started;
  }
}
