import { type Place } from '../../../lib/core/backend.js';
import { type Mistake } from './broken-backend.js';

/** What is reported of a line. */
export const inspectionMistakes: readonly Mistake[] = [
  {
    name: 'inspect shows the line from behind',
    caughtBy: ['inspect shows holders and waiters in order, with what each asked for'],
    changes: () => ({ inspect: (line) => line.toReversed() }),
  },
  {
    name: 'inspect does not show who waits',
    caughtBy: ['inspect shows holders and waiters in order, with what each asked for'],
    changes: () => ({ inspect: (line) => line.filter(({ held }) => held) }),
  },
  {
    name: 'inspect takes all for holders',
    caughtBy: ['inspect shows holders and waiters in order, with what each asked for'],
    changes: () => ({ inspect: (line) => line.map((place) => ({ ...place, held: true })) }),
  },
  {
    name: 'inspect takes the front for the only holder',
    caughtBy: ['inspect shows each sharer as a holder, with its own place'],
    changes: () => ({ inspect: (line) => line.map((place, rank) => ({ ...place, held: rank === 0 })) }),
  },
  {
    name: 'inspect has no place for a holder',
    caughtBy: [
      'inspect shows holders and waiters in order, with what each asked for',
      'inspect shows each sharer as a holder, with its own place',
    ],
    changes: () => ({ inspect: (line) => line.map(({ place: _place, ...rest }) => rest) }),
  },
  ...Object.entries<(owner: string) => string>({
    'an owner ends at a colon': (owner) => owner.split(':')[0]!,
    'an owner ends at the end of a line': (owner) => owner.split('\n')[0]!,
    'an owner is trimmed': (owner) => owner.trim(),
    'an owner is cut at 199 bytes': (owner) => Buffer.from(owner).subarray(0, 199).toString(),
    'nobody has an owner': () => '',
  }).map(([name, change]) => ({
    name,
    caughtBy: ['inspect shows what each claim says of its owner, to the letter'],
    changes: () => ({
      inspect: (line: readonly Place[]) =>
        line.map(({ owner, ...place }) => (owner === undefined ? place : { ...place, owner: change(owner) })),
    }),
  })),
  {
    name: 'looking at a key makes a record of it',
    caughtBy: ['a key that nobody wants has an empty line, and looking at it changes nothing'],
    changes: () => {
      const looked = new Set<string>();
      return {
        inspect: (line, key) => {
          if (line.length === 0) looked.add(key);
          return line;
        },
        residue: () => looked.size,
      };
    },
  },
  {
    name: 'list does not look at the prefix',
    caughtBy: ['list tells the keys that have a line, and with a prefix only those that begin with it'],
    changes: ({ store }) => ({ list: () => store.list() }),
  },
  {
    name: 'list takes the prefix for a pattern',
    caughtBy: ['list tells the keys that have a line, and with a prefix only those that begin with it'],
    changes: ({ store }) => ({
      async *list(prefix) {
        const pattern = new RegExp(
          `^${prefix.replace(/[^*]/gsu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`).replaceAll('*', '.*')}`,
          'su',
        );
        for await (const key of store.list()) if (pattern.test(key)) yield key;
      },
    }),
  },
];
