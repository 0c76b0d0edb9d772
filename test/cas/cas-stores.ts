import pg from 'pg';
import { EtcdStore } from '../../lib/cas/etcd/index.js';
import { type CasStore } from '../../lib/cas/index.js';
import { PostgresStore } from '../../lib/cas/postgres/index.js';

/** A store that another process can open as well. */
export type StoreAddress =
  | { readonly kind: 'postgres'; readonly url: string; readonly max?: number; readonly commandTimeoutMs?: number }
  | { readonly kind: 'etcd'; readonly url: string | readonly string[]; readonly commandTimeoutMs?: number };

export interface OpenStore {
  readonly store: CasStore;
  /** Of PostgreSQL. */
  readonly pool?: pg.Pool;
  close(): Promise<void>;
}

export function openStore(address: StoreAddress): OpenStore {
  const { commandTimeoutMs = 3_000 } = address;
  if (address.kind === 'etcd') {
    const store = new EtcdStore({ url: address.url, commandTimeoutMs });
    return { store, close: () => store.close() };
  }
  const pool = new pg.Pool({ connectionString: address.url, max: address.max ?? 6 });
  const store = new PostgresStore({ pool, commandTimeoutMs, createTable: true });
  const close = async (): Promise<void> => {
    await store.close();
    await pool.end();
  };
  return { store, pool, close };
}
