import { type Cluster, type Redis, type RedisOptions } from 'ioredis';

/** How the server is reached. A client that is given is duplicated, never used, reconfigured or closed. */
export type RedisConnection =
  | { readonly url: string }
  /** As for `new Redis(options)`; Sentinel included. */
  | { readonly options: RedisOptions }
  | { readonly client: Redis | Cluster };

export type RedisBackendOptions = RedisConnection & {
  /** What all keys and channels begin with. Backends that shall see each other's locks share it. Default `lock`. */
  readonly prefix?: string;
  /** After this much silence of the server, in milliseconds, a connection is given up. Default 1000. */
  readonly commandTimeoutMs?: number;
  /** Told what may cost locks on this server. Default: a process warning. */
  readonly onWarning?: (warning: string) => void;
};
