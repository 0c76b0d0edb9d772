import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { claimPrefix, readClaimName, ZooKeeperKeys } from '../../lib/zookeeper/zookeeper.keys.js';
import { makingOf, rankOf, readLine, toWatch, without } from '../../lib/zookeeper/zookeeper.line.js';

const slots = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 4 }), fc.constant(Infinity));
const line = fc
  .array(slots, { minLength: 1, maxLength: 8 })
  .map((all) => readLine(all.map((each, n) => `${claimPrefix(`id${n}`, each)}${String(n).padStart(10, '0')}`)));

describe('a line on ZooKeeper', () => {
  it('whoever waits hears of a departure before, or when, it may come in', () => {
    fc.assert(
      fc.property(line, fc.array(fc.nat(), { maxLength: 8 }), (all, departures) => {
        for (const [rank, { name }] of all.entries()) {
          if (rankOf(all, name)!.held) continue;
          const watched = toWatch(all, rank);
          expect(watched.length).toBeGreaterThan(0);
          let left = all;
          for (const each of departures) {
            const ahead = left.slice(
              0,
              left.findIndex((claim) => claim.name === name),
            );
            if (ahead.length === 0) break;
            left = without(left, ahead[each % ahead.length]!.name);
            const heard = watched.some((one) => !left.some((claim) => claim.name === one));
            if (heard) break;
            expect(rankOf(left, name)!.held).toBe(false);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('an exclusive claim watches the one ahead, a reader the nearest that keeps it out, one of n the n ahead', () => {
    const watch = (...all: number[]): number[] => {
      const claims = readLine(all.map((each, n) => `${claimPrefix('id', each)}${n}`));
      return toWatch(claims, all.length - 1).map((name) => readClaimName(name)!.sequence);
    };
    expect(watch(1, 1, 1, 1)).toEqual([2]);
    expect(watch(Infinity, Infinity, 1)).toEqual([1]);
    expect(watch(1, Infinity, 1, Infinity, Infinity)).toEqual([2]);
    expect(watch(3, 3, 3, 3, 3)).toEqual([3, 2, 1]);
  });

  it('goes on in order when the sequence wraps around', () => {
    const names = ['x,1,2147483647', 'x,1,-2147483648', 'x,1,2147483646', 'x,1,-2147483647'];
    expect(readLine(names.toReversed()).map(({ name }) => name)).toEqual([names[2], names[0], names[1], names[3]]);
  });

  it('does not tell when a claim was made if anything else happened meanwhile', () => {
    const stat = { czxid: 1, ctime: new Date(0), ephemeralOwner: '0' };
    const before = { ...stat, pzxid: 10, cversion: 9, numChildren: 1 };
    const names = ['a,1,4', 'b,1,5'];
    const after = { ...stat, pzxid: 20, cversion: 10, numChildren: 2 };
    expect(makingOf({ before, names, after, sequence: 5 })).toBe(20n);
    // The one ahead has gone.
    expect(makingOf({ before, names: ['b,1,5'], after: { ...after, cversion: 11, numChildren: 1 }, sequence: 5 })).toBe(
      undefined,
    );
    // Another one has joined, behind or between.
    const joined = { ...after, cversion: 11, numChildren: 3 };
    expect(makingOf({ before, names: [...names, 'c,1,6'], after: joined, sequence: 5 })).toBe(undefined);
    expect(makingOf({ before, names: ['a,1,4', 'c,1,5', 'b,1,6'], after: joined, sequence: 6 })).toBe(undefined);
    // It was made with its line, which was there, and had been used.
    expect(makingOf({ before: undefined, names, after, sequence: 5 })).toBe(undefined);
  });

  it('keys and ids read back, whatever is in them', () => {
    const keys = new ZooKeeperKeys('/locks');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), slots, (text, each) => {
        const path = keys.lineOf(text);
        expect(path).toMatch(/^\/locks\/[^/]+$/);
        expect(path).not.toMatch(/\/\.{1,2}$/);
        expect(keys.keyOf(path.slice('/locks/'.length))).toBe(text);
        expect(readClaimName(`${claimPrefix(text, each)}0000000007`)).toMatchObject({
          id: text,
          slots: each,
          sequence: 7,
        });
      }),
    );
  });
});
