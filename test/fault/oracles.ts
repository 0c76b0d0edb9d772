import { type Access, type History, type Hold } from './history.js';

/** Every way in which a history contradicts what is promised, as sentences: none is what is wanted. */
export type Oracle = (history: History) => string[];

/** P1: no two believe at one instant that they hold a key. */
export const beliefsOverlap: Oracle = ({ holds }) =>
  byKey(holds).flatMap((line) => {
    const inOrder = line.toSorted((a, b) => a.from - b.from);
    let last: Hold | undefined;
    return inOrder.flatMap((hold) => {
      const before = last;
      if (before === undefined || hold.to > before.to) last = hold;
      if (before === undefined || hold.from >= Math.min(before.to, hold.to)) return [];
      const overlapMs = Math.min(before.to, hold.to) - hold.from;
      return [`${overlapMs.toFixed(3)} ms long both ${print(before)} and ${print(hold)} were believed in`];
    });
  });

/**
 * Whoever asked after another had been granted has a larger token, and none comes twice. Not so who was handed a claim on by
 * another caller of its process: where servers forget, that claim may be older than the one that was granted meanwhile.
 */
export const tokensFall: Oracle = ({ holds }) =>
  byKey(holds).flatMap((line) => [
    ...fallsAfter(
      line,
      ({ from }) => from,
      ({ token, askedAt }) => (handedOn(token) ? -Infinity : askedAt),
    ),
    ...twice(line),
  ]);

/** Whoever was granted after another had ended has a larger token: only where P1 is promised, since it rests on who believes what when. */
export const tokensFallInTurn: Oracle = ({ holds }) =>
  byKey(holds).flatMap((line) =>
    fallsAfter(
      line,
      ({ to }) => to,
      ({ from }) => from,
    ),
  );

/** P2: what the resource accepts follows the order of grants. */
export const acceptedOutOfOrder: Oracle = ({ accesses }) =>
  byKey(accesses.filter(({ accepted }) => accepted)).flatMap((accepted) =>
    accepted.flatMap((access, index) => {
      const before = accepted[index - 1];
      if (before === undefined || access.token >= before.token) return [];
      return [`${access.key}: ${access.token} was accepted after ${before.token}`];
    }),
  );

/** The counter is what was accepted, and whatever was confirmed is in it. */
export const updatesLost: Oracle = ({ accesses, holds }) => {
  const written = new Set<string>();
  const overwritten = byKey(accesses.filter(({ accepted, kind }) => accepted && kind === 'write')).flatMap((writes) =>
    writes.flatMap(({ key, hold, value }, index) => {
      written.add(`${hold} ${value}`);
      return value === index + 1 ? [] : [`${key}: write ${index + 1} made the counter ${value}`];
    }),
  );
  const forgotten = holds.flatMap(({ id, confirmed }) =>
    confirmed.filter((value) => !written.has(`${id} ${value}`)).map((value) => `${id} was told of ${value}`),
  );
  return [...overwritten, ...forgotten];
};

/** A loss is told by the deadline; or, by an event loop that was not running then, when it comes round, at the second of things. */
export const lossesToldLate: Oracle = ({ holds }) =>
  holds.filter(({ turnsLate }) => turnsLate > 1).map((hold) => `${print(hold)}: told ${hold.turnsLate} turns late`);

/** Nobody who lives is left without a key for long once everything is whole again. */
export function notServed(processes: readonly string[], keys: readonly string[], healedAt: number): Oracle {
  return ({ holds }) =>
    processes.flatMap((process) =>
      keys.flatMap((key) => {
        const served = holds.some((hold) => hold.process === process && hold.key === key && hold.from > healedAt);
        return served ? [] : [`${process} has not had ${key} since all was whole again`];
      }),
    );
}

/** A run in which nothing happened shows nothing. */
export function tooLittle(minima: { readonly grants: number; readonly contended: number }): Oracle {
  return ({ holds, accesses }) => {
    const contended = holds.filter(({ askedAt, from }) => from - askedAt > 5).length;
    const writes = accesses.filter(({ kind, accepted }) => kind === 'write' && accepted).length;
    return [
      ...(holds.length < minima.grants ? [`only ${holds.length} grants`] : []),
      ...(contended < minima.contended ? [`only ${contended} had to wait`] : []),
      ...(writes < minima.grants / 2 ? [`only ${writes} writes`] : []),
    ];
  };
}

/** Largest token so far, over holds in the order of `end`, against those in the order of `start` that begin later. */
function fallsAfter(line: readonly Hold[], end: (hold: Hold) => number, start: (hold: Hold) => number): string[] {
  const ends = line.toSorted((a, b) => end(a) - end(b));
  let next = 0;
  let largest: Hold | undefined;
  return line
    .toSorted((a, b) => start(a) - start(b))
    .flatMap((hold) => {
      for (; next < ends.length && end(ends[next]!) < start(hold); next += 1) {
        if (largest === undefined || ends[next]!.token > largest.token) largest = ends[next];
      }
      if (largest === undefined || hold === largest || hold.token > largest.token) return [];
      return [`${print(hold)} has no larger token than ${print(largest)} before it`];
    });
}

/** The last bits of a token count how often its claim was handed on within a process. */
function handedOn(token: bigint): boolean {
  return (token & 1_023n) > 0n;
}

function twice(line: readonly Hold[]): string[] {
  const seen = new Map<bigint, Hold>();
  return line.flatMap((hold) => {
    const other = seen.get(hold.token);
    seen.set(hold.token, hold);
    return other === undefined ? [] : [`${print(hold)} and ${print(other)} have one token`];
  });
}

function byKey<T extends Pick<Access | Hold, 'key'>>(all: readonly T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const group = groups.get(each.key);
    if (group === undefined) groups.set(each.key, [each]);
    else group.push(each);
  }
  return [...groups.values()];
}

function print({ id, key, token, from, to, how = 'never ended' }: Hold): string {
  return `${key} ${id} [${from.toFixed(3)}–${to.toFixed(3)} token ${token} ${how}]`;
}
