import { readFileSync } from 'node:fs';

/** The verbs, one script each. */
export const VERBS = ['attempt', 'renew', 'withdraw', 'inspect', 'evict', 'evicted'] as const;
export type Verb = (typeof VERBS)[number];

const read = (name: string): string => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');

/** Each with what all share before it, and without its comments: they would be sent with every first call. */
export function loadScripts(): Record<Verb, string> {
  const shared = read('line');
  const script = (verb: Verb): string => `${shared}\n${read(verb)}`.replace(/^\s*--.*\n/gm, '');
  return Object.fromEntries(VERBS.map((verb) => [verb, script(verb)])) as Record<Verb, string>;
}
