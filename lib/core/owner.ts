import { hostname } from 'node:os';

/** Who holds or waits, by its own account: for people to find it by, never proof. What it did not say is undefined. */
export interface LockOwner {
  readonly application: string | undefined;
  readonly host: string | undefined;
  readonly pid: number | undefined;
  /** Where its claim was first wanted. Other callers of its process may have it by now. */
  readonly site: string | undefined;
}

/** What a claim says of its owner, given the site that wants it; undefined: nothing. */
export type OwnerAt = (site: string | undefined) => string | undefined;

export const nobody: OwnerAt = () => undefined;

/** Bytes of JSON, so that all of them, a pid of ten digits and what is between them fit into the 200 of a claim. */
const MOST_BYTES = { application: 48, host: 60, site: 72 };

/** As a JSON array: one line of text, whatever is in it, that is made in about a microsecond. */
export function ownerOf(application: string | undefined = process.env.npm_package_name): OwnerAt {
  const named = application === undefined ? 'null' : encoded(application, MOST_BYTES.application);
  const ofProcess = `[${named},${encoded(hostname(), MOST_BYTES.host)},${process.pid}`;
  const withoutSite = `${ofProcess}]`;
  return (site) => (site === undefined ? withoutSite : `${ofProcess},${encoded(site, MOST_BYTES.site)}]`);
}

/** Undefined for what is no owner, as of another version. */
export function readOwner(text: string | undefined): LockOwner | undefined {
  if (text === undefined) return undefined;
  try {
    const facts: unknown = JSON.parse(text);
    if (!Array.isArray(facts)) return undefined;
    const [application, host, pid, site] = facts as unknown[];
    const textOf = (fact: unknown): string | undefined => (typeof fact === 'string' ? fact : undefined);
    return {
      application: textOf(application),
      host: textOf(host),
      pid: typeof pid === 'number' ? pid : undefined,
      site: textOf(site),
    };
  } catch {
    return undefined;
  }
}

/** Cut between characters where it is too long. */
function encoded(text: string, mostBytes: number): string {
  const quoted = JSON.stringify(text);
  if (quoted.length * 3 <= mostBytes || Buffer.byteLength(quoted) <= mostBytes) return quoted;
  let kept = '';
  let bytes = Buffer.byteLength('"…"');
  for (const character of text) {
    bytes += Buffer.byteLength(JSON.stringify(character)) - 2;
    if (bytes > mostBytes) break;
    kept += character;
  }
  return JSON.stringify(`${kept}…`);
}
