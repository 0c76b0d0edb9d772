import { LockBackendError, LockConfigError } from '../../core/errors.js';

/** What is wrong with how the database was set up for us, by SQLSTATE or by what Node and `pg` call it. */
const CONFIG: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'log-in refused: check user name, password and pg_hba.conf'],
  [/^3D000$/, 'there is no such database'],
  [
    /^(42P01|3F000)$/,
    'there is no such table: give createTable: true, or run the SQL of postgresTableSql() in a migration',
  ],
  [/^42501$/, 'not permitted: grant SELECT, INSERT, UPDATE and DELETE on the table, and USAGE on its sequence'],
  [/^(42703|42804|42883|42P10|42809)$/, 'the table is not one of locks: give the store a table of its own'],
  [/^0A000$/, 'the database lacks a feature that is needed: PostgreSQL 12 or later has them all'],
  [/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|EPROTO/, 'no TLS with it: check the certificates, and ssl of the pool'],
];
const CONFIG_BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL|no encryption/i, 'no TLS with it: check the certificates, and ssl of the pool'],
  [/SASL|password must be/, 'log-in refused: check user name and password'],
  [/after calling end on the pool/, 'the pool was ended: end it after the locks are closed'],
];

/** Refused as it stands, without having been done, and not soon to be otherwise. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^53100$/, 'its disk is full: it takes no new claims until some is freed'],
];

/**
 * What a failed statement means to the core: LockConfigError and LockBackendError are final; anything else is not known, or
 * not now, and worth asking again: a connection that was cut or refused, a server that starts or stops, too many
 * connections, no answer in time, a primary that has become a standby.
 *
 * Whatever it is, it loses what `pg` adds to it: parameters, with whole claim ids, and the connection with its password.
 */
export function classified(error: unknown): Error {
  const { message, code } = factsOf(error);
  const cause = Object.assign(new Error(message), code === undefined ? {} : { code });
  const advice = adviceFor(CONFIG, code) ?? adviceFor(CONFIG_BY_MESSAGE, message);
  if (advice !== undefined) return new LockConfigError(`postgres: ${advice} (${message})`, undefined, { cause });
  const refusal = adviceFor(REFUSED, code);
  if (refusal !== undefined) return new LockBackendError(undefined, `postgres: ${refusal} (${message})`, cause);
  return cause;
}

/**
 * What is wrong with a statement, or with what it works on, and not with the connection or its server: the severity that is
 * told is in the language of the server. Not that a standby refuses to write (25006), for behind the same name there may be
 * a primary by now.
 */
const OF_A_STATEMENT = /^(0A|22|23|3F|40|42|53100|54|55|57014|P0)/;

/** Whether the server has refused a statement, and nothing else has happened to the connection. */
export function isRefusal(error: unknown): boolean {
  return OF_A_STATEMENT.test(factsOf(error).code ?? '');
}

/** Whether a statement was undone because of another one at the same time. */
export function isSerializationFailure(error: unknown): boolean {
  return ['40001', '40P01'].includes((error as { code?: string }).code ?? '');
}

function adviceFor(rules: readonly (readonly [RegExp, string])[], text: string | undefined): string | undefined {
  return text === undefined ? undefined : rules.find(([pattern]) => pattern.test(text))?.[1];
}

/** Of several addresses that were tried, each has failed in its own way. */
function factsOf(error: unknown): { message: string; code: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error), code: undefined };
  const { errors, code } = error as { errors?: unknown[]; code?: unknown };
  if (error.message === '' && errors?.[0] !== undefined) return factsOf(errors[0]);
  return { message: error.message, code: typeof code === 'string' ? code : undefined };
}
