import { posix } from 'node:path';
import { type Mistake } from './broken-backend.js';

/** Keys that are taken for one another. */
export const keysMistakes: readonly Mistake[] = [
  ...foldings({
    'keys differ in upper and lower case only, and are one': (key) => key.toLowerCase(),
    'keys are cut at 255 characters': (key) => key.slice(0, 255),
    'keys are cut at 1000 bytes': (key) => Buffer.from(key).subarray(0, 1000).toString('latin1'),
    'keys end at the first NUL': (key) => key.split('\0')[0]!,
    'keys are trimmed': (key) => key.trim(),
    'keys lose the spaces at their end': (key) => key.replace(/ +$/, ''),
    'keys are normalised (NFC)': (key) => key.normalize('NFC'),
    'keys are normalised (NFKC)': (key) => key.normalize('NFKC'),
    'keys are compared by locale': (key) => key.normalize('NFKD').replace(/\p{M}/gu, ''),
    'keys are paths': (key) => posix.normalize(key),
    'a slash is escaped, and its escape is not': (key) => key.replaceAll('/', '%2F'),
    'keys are read as if they were escaped': (key) => {
      try {
        return decodeURIComponent(key);
      } catch {
        return key;
      }
    },
    'a key is what stands in its braces': (key) => /\{(.+?)\}/s.exec(key)?.[1] ?? key,
    'keys are stored in Latin-1': (key) => Buffer.from(key, 'latin1').toString('latin1'),
    'keys have no characters beyond the basic plane': (key) => key.replace(/[\u{10000}-\u{10ffff}]/gu, '\ufffd'),
    'line breaks are one line break': (key) => key.replace(/\r\n?/g, '\n'),
    'keys are names of properties': (key) =>
      String(({} as Record<string, unknown>)[key] === undefined ? key : 'inherited'),
    'keys are hashed to 16 bits': (key) => hash(key, (sum, byte) => (sum * 31 + byte) % 65_536),
    'keys are hashed to 32 bits (FNV-1a)': (key) =>
      hash(key, (sum, byte) => Math.imul(sum ^ byte, 0x01000193), 0x811c9dc5),
  }),
  {
    name: 'list tells keys as they are stored',
    caughtBy: ['list tells hostile keys as they were written'],
    changes: ({ store }) => ({
      async *list(prefix) {
        for await (const key of store.list({ prefix })) yield encodeURIComponent(key);
      },
    }),
  },
];

function foldings(all: Record<string, (key: string) => string>): readonly Mistake[] {
  return Object.entries(all).map(([name, fold]) => ({
    name,
    caughtBy: ['hostile keys are as many keys, and leaving one leaves the others'],
    changes: () => ({ request: (request) => ({ ...request, key: `key:${fold(request.key)}` }) }),
  }));
}

function hash(key: string, step: (sum: number, byte: number) => number, start = 0): string {
  return [...Buffer.from(key)].reduce(step, start).toString();
}
