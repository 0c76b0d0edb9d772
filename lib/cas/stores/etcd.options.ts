import { type SecureContextOptions } from 'node:tls';
import { LockConfigError } from '../../core/errors.js';

export interface EtcdStoreOptions {
  /** `http://host:2379` or `https://…`; several for several members of one cluster, each asked when another fails. */
  readonly url: string | readonly string[];
  /** What all keys begin with. Stores that shall see each other's locks share it. Default `lock/`. */
  readonly prefix?: string;
  readonly username?: string;
  readonly password?: string;
  /** As Node takes them: `ca`, and for a client's certificate `cert` and `key`. */
  readonly tls?: EtcdTls;
  /** After this much silence a call is given up, in milliseconds: 3000. */
  readonly commandTimeoutMs?: number;
}

export type EtcdTls = Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'pfx'> & {
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
};

export interface EtcdSettings extends Required<Pick<EtcdStoreOptions, 'prefix' | 'commandTimeoutMs'>> {
  readonly endpoints: readonly URL[];
  readonly user: { readonly name: string; readonly password: string } | undefined;
  readonly tls: EtcdTls | undefined;
}

/** @throws LockConfigError that shows nothing of a URL: there may be a password in it. */
export function readEtcdOptions(options: EtcdStoreOptions): EtcdSettings {
  const { url, prefix = 'lock/', username, password, tls, commandTimeoutMs = 3_000 } = options ?? {};
  const endpoints = [url].flat().map(readUrl);
  if (endpoints.length === 0) throw new LockConfigError('url names no member of the cluster');
  if (typeof prefix !== 'string' || !prefix.isWellFormed()) throw new LockConfigError('prefix must be text');
  if (!(commandTimeoutMs >= 1 && commandTimeoutMs <= 2 ** 31 - 1)) {
    throw new LockConfigError('commandTimeoutMs must be a number of milliseconds, 1 at least');
  }
  return { endpoints, prefix, user: readUser(username, password), tls, commandTimeoutMs };
}

function readUser(name: string | undefined, password: string | undefined): EtcdSettings['user'] {
  if (name !== undefined && password !== undefined) return { name, password };
  if (name === password) return undefined;
  throw new LockConfigError('give both username and password, or neither: is a setting missing?');
}

function readUrl(url: unknown): URL {
  const parsed = URL.canParse(String(url)) ? new URL(String(url)) : undefined;
  const plain = parsed?.username === '' && parsed.password === '' && parsed.search === '' && parsed.hash === '';
  if (parsed === undefined || !plain || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new LockConfigError('url must look like https://host:2379; user name and password are options of their own');
  }
  return parsed;
}
