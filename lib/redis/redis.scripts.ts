import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What is asked of a server, one script each. */
export const SCRIPTS = ['calls', 'inspect', 'evict', 'evicted'] as const;
export type ScriptName = (typeof SCRIPTS)[number];

const read = (name: string): string => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');

export interface Script {
  readonly text: string;
  /** What the server knows it by once it was sent. */
  readonly digest: string;
}

/** Each with what all share before it, and without its comments: they would be sent with every first call. */
export function loadScripts({ cluster }: { readonly cluster: boolean }): Record<ScriptName, Script> {
  const shared = `local CLUSTER = ${cluster}\nlocal function inLine()\n${read('line')}end\n`;
  const script = (name: ScriptName): Script => {
    const text = `${shared}${read(name)}`.replace(/^\s*--.*\n/gm, '');
    return { text, digest: createHash('sha1').update(text).digest('hex') };
  };
  return Object.fromEntries(SCRIPTS.map((name) => [name, script(name)])) as Record<ScriptName, Script>;
}
