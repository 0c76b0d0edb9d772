import { describe, expect, it } from '@jest/globals';
import { violations } from './cas-history.js';

describe('the check of a history', () => {
  const hold = (from: number, to: number, slots: number, token: bigint) => ({ from, to, slots, token });

  it.each([
    ['nothing', []],
    ['one after another', [hold(2, 3, 1, 2n), hold(0, 1, 1, 1n)]],
    ['sharers, told out of order', [hold(0, 1, Infinity, 2n), hold(2, 3, Infinity, 1n)]],
    ['as many as a semaphore lets in', [hold(0, 9, 2, 1n), hold(1, 9, 2, 2n)]],
  ])('finds nothing in %s', (_name, holds) => expect(violations(holds)).toEqual([]));

  it.each([
    ['two exclusive ones at once', [hold(0, 2, 1, 1n), hold(1, 3, 1, 2n)], /2 inside where 1 may be/],
    ['a sharer next to an exclusive one', [hold(0, 2, Infinity, 1n), hold(1, 3, 1, 2n)], /2 inside where 1 may be/],
    ['one too many of a semaphore', [hold(0, 9, 2, 1n), hold(1, 9, 2, 2n), hold(2, 9, 3, 3n)], /3 inside where 2/],
    ['a token that falls', [hold(0, 1, 1, 2n), hold(2, 3, Infinity, 1n)], /no larger token/],
    ['a token that comes twice', [hold(0, 1, 1, 2n), hold(2, 3, 1, 2n)], /no larger token/],
  ])('finds %s', (_name, holds, sentence) => {
    expect(violations(holds)).toEqual([expect.stringMatching(sentence)]);
  });
});
