import { LockBackendError, LockConfigError } from '../core/errors.js';

/**
 * What is wrong with how the server was set up for us. Asking again will not mend it. Servers differ in their words, and
 * a script's refusal is one inside another, so what tells is looked for anywhere.
 */
const CONFIG = [
  [/NOAUTH|WRONGPASS|invalid password|invalid username-password/i, 'log-in refused: check user name and password'],
  [/NOPERM|The user executing the script/i, 'not permitted: see the least rights in docs/backends/redis.md'],
  [
    /DENIED .*protected mode/s,
    'it answers to its own machine only: give it a password, or turn its protected mode off',
  ],
  [/certificate|altnames|wrong version number|SSL routines/i, 'no TLS with it: check the certificates and the port'],
  [/WRONGTYPE/, 'a key is used for something else: give the locks a prefix of their own'],
  [/CROSSSLOT/, 'keys of one lock are in several hash slots: the prefix must not contain braces'],
  [/unknown command|Unknown subcommand/i, 'the server is too old, or forbids a command that is needed'],
] as const;

/** Said to who knows nothing of a Cluster. The Cluster client of ioredis goes where it is sent. */
const SENT_ELSEWHERE = /^(MOVED|ASK) /;

/** Refused as it stands, without having been done, and not soon to be otherwise. */
const REFUSED = [[/\bOOM\b/, 'out of memory: it takes no new claims until some is freed']] as const;

/**
 * What a failed command means to the core: LockConfigError and LockBackendError are final; anything else is not known,
 * or not now, and worth asking again:
 *
 * - Refused for now, without having been done: READONLY, LOADING, MASTERDOWN, MISCONF, NOREPLICAS, BUSY, CLUSTERDOWN,
 *   TRYAGAIN, too many clients, and a connection that is refused.
 * - Not known whether it was done: the connection was cut, or no answer came in time.
 *
 * Whatever it is, it loses what ioredis adds to it: the arguments of the command, with whole claim ids and passwords.
 */
export function classified(error: unknown, cluster: boolean): Error {
  const { name, message } = innermost(error);
  const cause = Object.assign(new Error(message), { name });
  const config = (advice: string): Error => new LockConfigError(`redis: ${advice} (${message})`, undefined, { cause });

  for (const [pattern, advice] of CONFIG) {
    if (pattern.test(message)) return config(advice);
  }
  if (SENT_ELSEWHERE.test(message) && !cluster) return config('a node of a Cluster: give the backend a Cluster client');
  for (const [pattern, advice] of REFUSED) {
    if (pattern.test(message)) return new LockBackendError(undefined, `redis: ${advice} (${message})`, cause);
  }
  return cause;
}

/** A Cluster of which no node will do says what the last one said only as a property. */
function innermost(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const { lastNodeError } = error as { lastNodeError?: unknown };
  return lastNodeError instanceof Error ? lastNodeError : error;
}
