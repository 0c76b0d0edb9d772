import { describe, expect, it } from '@jest/globals';
import { type Access, type History, type Hold } from './history.js';
import * as oracles from './oracles.js';

/** A hold of `a` that was asked for, and had, when the one before had ended. */
function hold(order: number, changes: Partial<Hold> = {}): Hold {
  const from = order * 100;
  const own = { id: `p/${order}`, process: 'p', key: 'a', token: BigInt(order) << 10n };
  const times = { askedAt: from - 5, from, to: from + 90, how: 'released', turnsLate: 0 };
  return { ...own, ...times, confirmed: [order], ...changes };
}

function write(order: number, changes: Partial<Access> = {}): Access {
  const own = { at: order * 100 + 50, key: 'a', hold: `p/${order}`, token: BigInt(order) << 10n };
  return { ...own, kind: 'write', accepted: true, value: order, ...changes };
}

function history(holds: readonly Hold[], accesses: readonly Access[] = []): History {
  return { holds, accesses, failures: {} };
}

const sound = history([hold(1), hold(2), hold(3)], [write(1), write(2), write(3)]);
const all = {
  ...oracles,
  notServed: oracles.notServed(['p'], ['a'], 250),
  tooLittle: oracles.tooLittle({ grants: 3, contended: 0 }),
} as Readonly<Record<string, oracles.Oracle>>;

describe('the oracles', () => {
  it.each(Object.keys(all))('%s: says nothing of a history in which all is right', (name) => {
    expect(all[name]!(sound)).toEqual([]);
  });

  const broken: readonly { what: string; seen: History; by: readonly string[] }[] = [
    {
      what: 'a second one believes before the first has ceased to',
      seen: history([hold(1, { to: 200.5 }), hold(2), hold(3)], sound.accesses),
      by: ['beliefsOverlap'],
    },
    {
      what: 'one in the midst of another, and a third while the longer of them lasts',
      seen: history([hold(1, { to: 350 }), hold(2), hold(3)], sound.accesses),
      by: ['beliefsOverlap'],
    },
    {
      what: 'a token falls from one to the next who asked later',
      seen: history([hold(1), hold(2, { token: 9n << 10n }), hold(3)], sound.accesses),
      by: ['tokensFall', 'tokensFallInTurn'],
    },
    {
      what: 'a token falls from one to the next who had asked before',
      seen: history([hold(1), hold(2, { token: 9n << 10n }), hold(3, { askedAt: 0 })], sound.accesses),
      by: ['tokensFallInTurn'],
    },
    {
      what: 'a token comes twice',
      seen: history([hold(1), hold(2, { token: 1n << 10n, askedAt: 0 }), hold(3)], sound.accesses),
      by: ['tokensFall', 'tokensFallInTurn'],
    },
    {
      what: 'a write of old is accepted',
      seen: history(sound.holds, [write(1), write(3, { value: 2 }), write(2, { value: 3 })]),
      by: ['acceptedOutOfOrder', 'updatesLost'],
    },
    {
      what: 'a write overwrites one that was not read',
      seen: history(sound.holds, [write(1), write(2), write(3, { value: 2 })]),
      by: ['updatesLost'],
    },
    {
      what: 'a confirmed write is not there',
      seen: history(sound.holds, [write(1), write(2), write(3, { accepted: false })]),
      by: ['updatesLost'],
    },
    {
      what: 'an event loop comes round twice, and the loss is not told',
      seen: history([hold(1), hold(2), hold(3, { how: 'lease-ended', turnsLate: 2 })], sound.accesses),
      by: ['lossesToldLate'],
    },
    {
      what: 'a process is not served at the end',
      seen: history([hold(1), hold(2), hold(3, { process: 'q' })], sound.accesses),
      by: ['notServed'],
    },
    {
      what: 'an old one is let in to read',
      seen: history(sound.holds, [write(1), write(2), write(1, { kind: 'read', value: 2 }), write(3)]),
      by: ['acceptedOutOfOrder'],
    },
    {
      what: 'next to nothing happens',
      seen: history([hold(3, { confirmed: [1] })], [write(3, { value: 1 })]),
      by: ['tooLittle'],
    },
  ];

  it('tokensFall: knows that a claim which is handed on within a process is older than who asked for it', () => {
    const forgotten = hold(1, { to: 290 });
    const handedOn = hold(3, { token: forgotten.token + 1n, to: 290 });
    expect(oracles.tokensFall(history([forgotten, hold(2), handedOn]))).toEqual([]);
  });

  it.each(broken)('$what: $by say so, and no others', ({ seen, by }) => {
    const names = Object.keys(all).filter((name) => all[name]!(seen).length > 0);
    expect(names.toSorted()).toEqual(by.toSorted());
  });

  it('each is needed: it is the only one to see something', () => {
    const alone = new Set(broken.filter(({ by }) => by.length === 1).map(({ by: [name] }) => name));
    // The one whose findings others share is the only one of them where two may believe at once.
    expect(Object.keys(all).filter((name) => !alone.has(name))).toEqual(['tokensFall']);
  });
});
