import assert from 'node:assert/strict';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { holders } from '../../lib/core/admission.js';

interface Claim {
  readonly id: number;
  readonly slots: number;
}

const slots = fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 6 }), fc.constant(Infinity));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ arrive: slots }) },
  { weight: 2, arbitrary: fc.record({ leave: fc.nat(30) }) },
);

describe('the admission rule', () => {
  it('lets in the longest prefix of the line that violates nobody: 20,000 random histories', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (history) => {
        let line: Claim[] = [];
        let inside = new Set<number>();
        let arrivals = 0;
        for (const event of history) {
          if ('arrive' in event) line = [...line, { id: (arrivals += 1), slots: event.arrive }];
          else line = line.filter((_, rank) => rank !== event.leave % Math.max(1, line.length));

          const held = holders(line);
          const now = line.slice(0, held);
          const next = line[held];
          const least = Math.min(...now.map((each) => each.slots));
          assert(least >= held, 'a mode is violated: somebody shares with more than it allows');
          assert(next === undefined || Math.min(least, next.slots) < held + 1, 'the next is kept out without a reason');
          const here = new Set(line.map(({ id }) => id));
          const nowIn = new Set(now.map(({ id }) => id));
          assert(
            [...inside].every((id) => !here.has(id) || nowIn.has(id)),
            'once in, it did not stay in',
          );
          const lastIn = Math.max(0, ...nowIn);
          assert(
            line.slice(held).every(({ id }) => id > lastIn),
            'somebody came in before one who came earlier',
          );
          inside = nowIn;
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('lets the smallest of differing limits win', () => {
    expect(holders([{ slots: 5 }, { slots: 2 }, { slots: 5 }])).toBe(2);
    expect(holders([{ slots: 5 }, { slots: 5 }, { slots: 1 }])).toBe(2);
  });

  it('lets a waiting writer stop the readers behind it', () => {
    expect(holders([{ slots: Infinity }, { slots: 1 }, { slots: Infinity }])).toBe(1);
  });

  it('lets nobody into an empty line', () => {
    expect(holders([])).toBe(0);
  });
});
