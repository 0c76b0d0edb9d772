import { LockBackendError, LockConfigError } from '../core/errors.js';

/** What is wrong with how the server was set up for us. Asking again will not mend it. */
const CONFIG = [
  [/NOAUTH|WRONGPASS|invalid password|invalid username-password/i, 'log-in refused: check user name and password'],
  [
    /NOPERM|can't run this command|No permissions to access/i,
    'not permitted: see the least rights in docs/backends/redis.md',
  ],
  [/WRONGTYPE/, 'a key is used for something else: give the locks a prefix of their own'],
  [/CROSSSLOT/, 'keys of one lock are in several hash slots: the prefix must not contain braces'],
  [/unknown command|Unknown subcommand/i, 'the server is too old, or forbids a command that is needed'],
] as const;

/** Refused as it stands, without having been done, and not soon to be otherwise. */
const REFUSED = [[/\bOOM\b/, 'out of memory: it takes no new claims until some is freed']] as const;

/**
 * What a failed command means to the core: LockConfigError and LockBackendError are final; anything else is not known,
 * or not now (the server loads, fails over, lacks replicas, runs a long script), and worth asking again.
 *
 * Whatever it is, it loses what ioredis adds to it: the arguments of the command, with whole claim ids.
 */
export function classified(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const cause = Object.assign(new Error(message), { name });
  for (const [pattern, advice] of CONFIG) {
    if (pattern.test(message)) return new LockConfigError(`redis: ${advice} (${message})`, undefined, { cause });
  }
  for (const [pattern, advice] of REFUSED) {
    if (pattern.test(message)) return new LockBackendError(undefined, `redis: ${advice} (${message})`, cause);
  }
  return cause;
}
