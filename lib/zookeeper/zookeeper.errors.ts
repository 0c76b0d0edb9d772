import { LockConfigError } from '../core/errors.js';

/** What the server or the driver answers. Anything below -100 that is not listed is a refusal by the server, too. */
export const OK = 0;
export const NO_NODE = -101;
export const NODE_EXISTS = -110;
const UNIMPLEMENTED = -6;
const NO_AUTH = -102;
const AUTH_FAILED = -115;
const AUTH_FAILED_STATE = -113;
const LOCAL_SESSION = -120;

/** Of the driver: bad arguments, and an operation that it does not know. Anything else of its own tells nothing of the request. */
const NOT_ASKED = new Set([UNIMPLEMENTED, -8]);
const FIRST_OF_SERVER = -100;
/** Expired, closing, closed. */
const ENDED = new Set([-112, -116, -9]);

/** Not known what came of it; the session may go on. */
export class NotKnownError extends Error {
  constructor(problem: string) {
    super(`zookeeper: ${problem}`);
    this.name = 'NotKnownError';
  }
}

/** The session is over, and with it everything that was held in it. */
export class SessionEndedError extends Error {
  constructor(why: string) {
    super(`zookeeper: the session has ended: ${why}`);
    this.name = 'SessionEndedError';
  }
}

/** What a code means that is no answer; undefined: it is an answer. */
export function unanswered(code: number, text: string): NotKnownError | SessionEndedError | undefined {
  if (ENDED.has(code)) return new SessionEndedError(`${text} (${code})`);
  const known = code <= FIRST_OF_SERVER || NOT_ASKED.has(code);
  return known ? undefined : new NotKnownError(`no answer: ${text} (${code})`);
}

/** An answer that nobody can go on with. LockConfigError: asking again is pointless. */
export function refusal(code: number, root: string): Error {
  if (code === NO_AUTH) {
    return new LockConfigError(
      `zookeeper: not permitted below ${root} (${code}): give auth, or the rights that docs/backends/zookeeper.md lists`,
    );
  }
  if (code === AUTH_FAILED) return authFailed();
  if (code === UNIMPLEMENTED) {
    return new LockConfigError(`zookeeper: the server has no container nodes (${code}): it must be 3.5.3 or newer`);
  }
  if (code === LOCAL_SESSION) {
    return new LockConfigError(
      `zookeeper: the server makes no nodes for local sessions (${code}): allow their upgrade`,
    );
  }
  return new Error(`zookeeper: refused below ${root} (${code})`);
}

/** Why the driver has closed a session, as far as asking for another one would not help. */
export function closedFor(code: number): LockConfigError | undefined {
  return code === AUTH_FAILED_STATE ? authFailed() : undefined;
}

function authFailed(): LockConfigError {
  return new LockConfigError('zookeeper: the server refused auth: is the digest scheme enabled?');
}
