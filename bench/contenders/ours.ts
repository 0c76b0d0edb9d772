import { type LockBackend, LockManager, type LockManagerOptions } from 'nestjs-locked';
import { CasBackend } from 'nestjs-locked/cas';
import { EtcdStore } from 'nestjs-locked/cas/etcd';
import { PostgresStore } from 'nestjs-locked/cas/postgres';
import { SharedMemoryStore } from 'nestjs-locked/cas/shared-memory';
import { MemoryBackend } from 'nestjs-locked/memory';
import { RedisBackend } from 'nestjs-locked/redis';
import { ZooKeeperBackend } from 'nestjs-locked/zookeeper';
import { type Contender, type Locker, PATIENCE_MS } from './contender.js';

type Settings = Omit<LockManagerOptions, 'backend'>;

/** All it sends for locks: scripts by their digest, once by their text, and one subscription. */
const REDIS_COMMANDS = ['eval', 'evalsha', 'subscribe'];

/** By default 1 s of silence is a failure, as it should be; a machine that others keep busy is silent for longer. Costs nothing. */
const PATIENT_MS = 30_000;

export const oursOnRedis = ours(
  'nestjs-locked',
  (url) => new RedisBackend({ url, commandTimeoutMs: PATIENT_MS }),
  {},
  REDIS_COMMANDS,
);
/** Every caller of every process in one order: no hand-over inside the process. */
export const oursStrict = ours(
  'nestjs-locked, localHandOffs: 0',
  (url) => new RedisBackend({ url, commandTimeoutMs: PATIENT_MS, prefix: 'strict' }),
  { localHandOffs: 0 },
  REDIS_COMMANDS,
);
/** Keeps what nobody else wants for the next caller of the process: here, nobody ever does. */
export const oursRetaining = ours(
  'nestjs-locked, retainMs',
  (url) => new RedisBackend({ url, commandTimeoutMs: PATIENT_MS, prefix: 'retained' }),
  { retainMs: 1_000 },
  REDIS_COMMANDS,
);
export const oursOnZooKeeper = ours('nestjs-locked, ZooKeeper', (connect) => new ZooKeeperBackend({ connect }));
export const oursOnPostgres = ours(
  'PostgreSQL',
  (url) => new CasBackend({ store: new PostgresStore({ url, createTable: true }) }),
);
export const oursOnEtcd = ours('etcd', (url) => new CasBackend({ store: new EtcdStore({ url }) }));
export const oursInMemory = ours('memory', () => new MemoryBackend());
export const oursInSharedMemory = ours(
  'shared memory',
  () => new CasBackend({ store: new SharedMemoryStore({ buffer: SharedMemoryStore.allocate() }) }),
);

function ours(
  name: string,
  backend: (server: string) => LockBackend,
  settings: Settings = {},
  sends: readonly string[] = [],
): Contender {
  return { name, kind: 'ours', sends, open: async (server) => openManager(backend(server), settings) };
}

export function openManager(backend: LockBackend, settings: Settings = {}): Locker & { readonly manager: LockManager } {
  const manager = new LockManager({ backend, waitMs: PATIENCE_MS, ...settings });
  return {
    manager,
    // Not async: where a hundred thousand wait, what that keeps for each would be counted as ours.
    acquire: (key) => manager.acquire(key).then((lock) => () => lock.release()),
    close: () => manager.close(),
  };
}
