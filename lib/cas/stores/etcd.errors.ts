import { LockBackendError, LockConfigError } from '../../core/errors.js';

/** What etcd itself has answered: nothing was done. */
export class EtcdRefusal extends Error {
  constructor(
    /** Of HTTP. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** The token is of the past: of another run of the server, of other rules, too old, or of a time when none was needed. */
  get wantsNewToken(): boolean {
    return /user name is empty|invalid auth token|auth store is old|revision in header is old/i.test(this.message);
  }

  /** Another member may well do it. */
  get isOfThisMember(): boolean {
    return this.status >= 500 || /no leader|not leader|leader changed|timed out|too many requests/i.test(this.message);
  }
}

/** The request has not left this machine. */
const NEVER_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'];

export function wasNeverSent(error: unknown): boolean {
  return NEVER_SENT.includes(codeOf(error)) || TLS.test(codeOf(error));
}

const TLS = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO/;

/** What is wrong with how the cluster was set up for us. Asking again will not mend it. */
const CONFIG: readonly (readonly [RegExp, string])[] = [
  [/user name is empty/, 'it wants a log-in: give username and password'],
  [
    /authentication failed|invalid user ID or password|user name not found/,
    'log-in refused: check username and password',
  ],
  [/permission denied/, 'not permitted: grant the user readwrite on all keys that begin with the prefix'],
  [
    /Not Found|Not Implemented|page not found/i,
    'no JSON gateway at this URL: etcd 3.4 or later has it, unless told not to',
  ],
  [/HTTP request to an HTTPS server/, 'it speaks TLS: the url must begin with https://'],
];

/** Refused as it stands, without having been done, and not soon to be otherwise. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/database space exceeded/, 'its database is full: compact it, defragment it and disarm its alarm'],
  [/request is too large/, 'too many claims wait for the key: raise --max-request-bytes, or lower maxWaiters'],
];

/**
 * What a failed call means to the core: LockConfigError and LockBackendError are final; anything else is not known, or not
 * now, and worth asking again: a connection that was cut or refused, a cluster without a leader, no answer in time.
 */
export function classified(error: unknown): Error {
  const message = messageOf(error);
  const code = codeOf(error);
  const cause = Object.assign(new Error(message), code === '' ? {} : { code });
  const advice = TLS.test(code)
    ? 'no TLS with it: check tls, and whether the url must begin with http:// or https://'
    : error instanceof EtcdRefusal && adviceFor(CONFIG, message);
  if (advice) return new LockConfigError(`etcd: ${advice} (${message})`, undefined, { cause });
  const refusal = adviceFor(REFUSED, message);
  if (refusal !== undefined) return new LockBackendError(undefined, `etcd: ${refusal} (${message})`, cause);
  return cause;
}

function adviceFor(rules: readonly (readonly [RegExp, string])[], text: string): string | undefined {
  return rules.find(([pattern]) => pattern.test(text))?.[1];
}

/** Of several addresses of one host, each has failed in its own way. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errors } = error as { errors?: unknown[] };
  return error.message === '' && errors?.[0] !== undefined ? messageOf(errors[0]) : error.message;
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
