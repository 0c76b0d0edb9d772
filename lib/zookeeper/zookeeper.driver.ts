import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { LockConfigError } from '../core/errors.js';

/** What is known of a node. Ids of transactions are 64 bits wide, and exact up to 2^53. */
export interface Stat {
  readonly czxid: number;
  readonly pzxid: number;
  readonly cversion: number;
  readonly numChildren: number;
  readonly ctime: Date;
  /** The session that it lives as long as, in hex. */
  readonly ephemeralOwner: string;
}

export type Done<Values extends unknown[] = []> = (code: number, text: string, ...values: Values) => void;

/** A handle of the driver: what of it is used here. The rest has ways to end the process: see the notes in `zookeeper.client.ts`. */
export interface DriverHandle {
  readonly client_id: string;
  /** Of the session, in milliseconds, as the server has granted it. */
  readonly timeout: number;
  on(event: 'connect' | 'connecting', listener: () => void): unknown;
  on(event: 'close', listener: (client: unknown, code: number) => void): unknown;
  on(event: 'deleted' | 'changed' | 'child', listener: (client: unknown, path: string) => void): unknown;
  init(config: DriverConfig): unknown;
  add_auth(scheme: string, auth: string, done: Done): number;
  a_create(path: string, data: string, flags: number, done: Done<[path: string]>): number;
  a_delete_(path: string, version: number, done: Done): number;
  a_exists(path: string, watch: boolean, done: Done<[stat: Stat | null]>): number;
  a_get(path: string, watch: boolean, done: Done<[stat: Stat | null, data: Buffer | null]>): number;
  a_get_children2(path: string, watch: boolean, done: Done<[names: string[] | null, stat: Stat | null]>): number;
  a_set_acl(path: string, version: number, acl: readonly Acl[], done: Done): number;
  a_sync(path: string, done: Done<[path: string]>): number;
  close(): void;
}

export interface DriverConfig {
  readonly connect: string;
  readonly timeout: number;
  readonly debug_level: number;
  readonly host_order_deterministic: boolean;
  readonly response_counter_limit: number;
}

export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly auth: string;
}

export type OpenDriver = () => DriverHandle;

/** @throws LockConfigError when the driver cannot be had. */
export const openDriver: OpenDriver = () => new (loadDriver())();

type Driver = new () => DriverHandle;
let loaded: Driver | undefined;

/** Loaded with the first session, so that nobody who has no ZooKeeper needs the driver. */
function loadDriver(): Driver {
  // It keeps state of one thread for the whole process: a second one crashes both, if not now, then when one of them ends.
  if (!isMainThread) {
    throw new LockConfigError(
      'zookeeper: its driver works in the main thread only, and this is a worker thread: use processes, or have the main thread lock',
    );
  }
  loaded ??= requireDriver(createRequire(import.meta.url));
  return loaded;
}

export function requireDriver(require: (name: string) => unknown): Driver {
  try {
    const driver = require('zookeeper') as Driver;
    if (typeof driver !== 'function') throw new Error('it exports no class');
    return driver;
  } catch (error) {
    throw unloadable(error);
  }
}

function unloadable(cause: unknown): LockConfigError {
  const { code, message } = cause as { code?: string; message?: string };
  if (code === 'MODULE_NOT_FOUND' && message?.includes("'zookeeper'")) {
    return new LockConfigError('zookeeper: its driver is not installed: npm install zookeeper', undefined, { cause });
  }
  const forOther =
    /NODE_MODULE_VERSION|ERR_DLOPEN_FAILED|No native build|was compiled against|invalid ELF|self-register/;
  if (code === 'ERR_DLOPEN_FAILED' || forOther.test(message ?? '')) {
    return new LockConfigError(
      `zookeeper: its driver was not built, or was built for another Node than ${process.version}: npm rebuild zookeeper ` +
        '(needs python3, make and g++, and install scripts allowed)',
      undefined,
      { cause },
    );
  }
  return new LockConfigError(`zookeeper: its driver cannot be loaded (${message})`, undefined, { cause });
}
