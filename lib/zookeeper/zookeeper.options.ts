import { LockConfigError } from '../core/errors.js';

export interface ZooKeeperBackendOptions {
  /** `host:port,host:port/chroot`, as ZooKeeper writes it. Without a port: 2181. Without a chroot: the top of the tree. */
  readonly connect: string;
  /** How long a session outlives the silence of this process, in milliseconds. The server may choose another. Default 10 000. */
  readonly sessionTimeoutMs?: number;
  /** Below this node all locks are kept, under the chroot. Made when it is missing. Default `/nestjs-locked`. */
  readonly root?: string;
  /** A user of ZooKeeper's digest scheme. What is made under `root` belongs to it alone. */
  readonly auth?: { readonly user: string; readonly password: string };
}

export interface Server {
  readonly host: string;
  readonly port: number;
}

/** What the backend works with: every choice made, every value checked. */
export interface ZooKeeperSettings {
  readonly servers: readonly Server[];
  readonly sessionTimeoutMs: number;
  /** With the chroot before it. */
  readonly root: string;
  /** As the digest scheme has it: `user:password`. A function, so that whoever prints the backend does not print it. */
  readonly auth: (() => string) | undefined;
}

const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** @throws LockConfigError */
export function readOptions(options: ZooKeeperBackendOptions): ZooKeeperSettings {
  const { connect, sessionTimeoutMs = 10_000, root = '/nestjs-locked', auth } = options ?? {};
  if (typeof connect !== 'string')
    throw new LockConfigError(`connect must look like ${EXAMPLE}: is a setting missing?`);
  const slash = connect.indexOf('/');
  const hosts = slash === -1 ? connect : connect.slice(0, slash);
  const chroot = slash === -1 || slash === connect.length - 1 ? '' : checkPath('the chroot', connect.slice(slash));
  if (
    typeof sessionTimeoutMs !== 'number' ||
    !(sessionTimeoutMs >= MIN_TIMEOUT_MS && sessionTimeoutMs <= MAX_TIMEOUT_MS)
  ) {
    throw new LockConfigError(`sessionTimeoutMs must be from ${MIN_TIMEOUT_MS} to ${MAX_TIMEOUT_MS} milliseconds`);
  }
  const path = `${chroot}${checkPath('root', root)}`;
  if (path.split('/')[1] === 'zookeeper')
    throw new LockConfigError('/zookeeper is reserved by ZooKeeper: choose another root');
  return { servers: hosts.split(',').map(readServer), sessionTimeoutMs, root: path, auth: readAuth(auth) };
}

const EXAMPLE = 'host:2181,host:2181/chroot';

function readServer(text: string, index: number): Server {
  const [, host = '', port = '2181'] = /^\s*(\[[\da-fA-F:.]+\]|[^\s:[\]]+)(?::(\d+))?\s*$/.exec(text) ?? [];
  if (host === '' || !(Number(port) >= 1 && Number(port) <= 65_535)) {
    // Not shown: whoever takes it for a URL puts a password there.
    throw new LockConfigError(`connect must look like ${EXAMPLE}: server ${index + 1} of it does not`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function checkPath(name: string, path: unknown): string {
  // Within what ZooKeeper allows, and everybody can read.
  if (typeof path !== 'string' || !/^(\/(?!\.{1,2}(\/|$))[\w.:@+=~-]+)+$/.test(path)) {
    throw new LockConfigError(`${name} must be a path like /a/b, of letters, digits and any of _.:@+=~-`);
  }
  return path;
}

/** Shows nothing of it. */
function readAuth(auth: ZooKeeperBackendOptions['auth']): (() => string) | undefined {
  if (auth === undefined) return undefined;
  const { user, password } = auth ?? {};
  if (
    typeof user !== 'string' ||
    typeof password !== 'string' ||
    user === '' ||
    password === '' ||
    user.includes(':')
  ) {
    throw new LockConfigError('auth must be { user, password }, neither empty, and the user without a colon');
  }
  return () => `${user}:${password}`;
}
