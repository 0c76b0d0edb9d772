import { type LockBackend } from '../../lib/core/index.js';

/** How a process reaches its servers, in words that go through JSON. */
export type Address =
  | { readonly kind: 'redis'; readonly port: number }
  | { readonly kind: 'zookeeper'; readonly ports: readonly number[]; readonly sessionTimeoutMs: number }
  | { readonly kind: 'postgres'; readonly port: number }
  | { readonly kind: 'etcd'; readonly ports: readonly number[] };

const COMMAND_TIMEOUT_MS = 500;

/** Loads no client but the one that is needed. */
export async function openBackend(address: Address): Promise<LockBackend> {
  if (address.kind === 'redis') {
    const { RedisBackend } = await import('../../lib/redis/index.js');
    const url = `redis://127.0.0.1:${address.port}`;
    return new RedisBackend({ url, commandTimeoutMs: COMMAND_TIMEOUT_MS, onWarning: () => undefined });
  }
  if (address.kind === 'zookeeper') {
    const { ZooKeeperBackend } = await import('../../lib/zookeeper/index.js');
    const connect = address.ports.map((port) => `127.0.0.1:${port}`).join(',');
    return new ZooKeeperBackend({ connect, sessionTimeoutMs: address.sessionTimeoutMs });
  }
  const { CasBackend } = await import('../../lib/cas/index.js');
  if (address.kind === 'postgres') {
    const { PostgresStore } = await import('../../lib/cas/postgres/index.js');
    const url = `postgres://postgres@127.0.0.1:${address.port}/postgres`;
    return new CasBackend({
      store: new PostgresStore({ url, createTable: true, commandTimeoutMs: COMMAND_TIMEOUT_MS }),
    });
  }
  const { EtcdStore } = await import('../../lib/cas/etcd/index.js');
  const url = address.ports.map((port) => `http://127.0.0.1:${port}`);
  return new CasBackend({ store: new EtcdStore({ url, commandTimeoutMs: COMMAND_TIMEOUT_MS }) });
}
