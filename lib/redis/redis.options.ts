import { type Cluster, type Redis, type RedisOptions } from 'ioredis';
import { LockConfigError } from '../core/errors.js';

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

/** @throws LockConfigError that shows nothing of a URL: there may be a password in it. */
export function checkConnection(connection: Partial<Record<'url' | 'options' | 'client', unknown>>): void {
  const ways = (['url', 'options', 'client'] as const).filter((way) => way in (connection ?? {}));
  const [way] = ways;
  if (way === undefined || ways.length > 1) throw new LockConfigError('give exactly one of url, options and client');
  const given = connection[way];
  // ioredis would take what is missing for the server at localhost.
  if (given === undefined) throw new LockConfigError(`${way} is undefined: is a setting missing?`);
  if (way === 'url' && !isRedisUrl(given)) {
    throw new LockConfigError(
      'url must look like redis://user:password@host:6379/0, or rediss://, with special characters encoded (# is %23)',
    );
  }
  if (way === 'options' && (typeof given !== 'object' || given === null)) {
    throw new LockConfigError('options must be an object, as for new Redis(options)');
  }
  const { duplicate, defineCommand } = (given ?? {}) as Partial<Redis>;
  if (way === 'client' && (typeof duplicate !== 'function' || typeof defineCommand !== 'function')) {
    throw new LockConfigError('client must be a Redis or a Cluster of ioredis');
  }
}

/** Strict: what ioredis makes of a password with a `/` in it is the name of a host, and names of hosts are in errors. */
function isRedisUrl(url: unknown): boolean {
  if (typeof url !== 'string') return false;
  try {
    const { protocol, username, password, hostname, pathname, hash } = new URL(url);
    decodeURIComponent(username + password);
    return ['redis:', 'rediss:'].includes(protocol) && hostname !== '' && /^(\/\d*)?$/.test(pathname) && hash === '';
  } catch {
    return false;
  }
}
