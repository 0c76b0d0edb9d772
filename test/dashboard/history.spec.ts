import { describe, expect, it } from '@jest/globals';
import { type LockEvent } from 'nestjs-locked';
import { LockHistory, WINDOW_MS } from '../../lib/dashboard/lock-history.js';

const NOW = Date.UTC(2026, 0, 1);
const of = (key: string) => ({ service: 'default', backend: 'memory', key, claim: 'c' });
const acquired = (key: string, token: bigint, waitedMs = 0): LockEvent => {
  return { ...of(key), type: 'acquired', fencingToken: token, waitedMs, site: 'Shop.sell' };
};
const released = (key: string, token: bigint, heldMs: number): LockEvent => {
  return { ...of(key), type: 'released', fencingToken: token, heldMs };
};
const lost = (key: string, token: bigint, heldMs: number): LockEvent => {
  return { ...of(key), type: 'lost', fencingToken: token, heldMs, reason: 'forced' };
};

describe('the history of locks', () => {
  it('is of waits and holds, each told again only when it has changed', () => {
    const history = new LockHistory();
    history.record(acquired('a', 1n, 40), NOW);
    const [span] = history.changedSpans(of('a'), 0);
    expect(span).toMatchObject({
      waitedFrom: NOW - 40,
      heldFrom: NOW,
      until: undefined,
      site: 'Shop.sell',
      token: '1',
    });
    const seen = span!.change;
    expect(history.changedSpans(of('a'), seen)).toEqual([]);
    history.record(released('a', 1n, 10), NOW + 10);
    expect(history.changedSpans(of('a'), seen)).toMatchObject([{ until: NOW + 10, end: 'released' }]);
    expect(history.changedSpans(of('b'), 0)).toEqual([]);
  });

  it('knows a loss, whether it is told before or after the release', () => {
    for (const events of [
      [lost('a', 1n, 5), released('a', 1n, 9)],
      [released('a', 1n, 9), lost('a', 1n, 9)],
    ]) {
      const history = new LockHistory();
      history.record(acquired('a', 1n), NOW);
      for (const event of events) history.record(event, NOW + 9);
      expect(history.changedSpans(of('a'), 0)).toMatchObject([{ end: 'lost', reason: 'forced' }]);
      expect(history.losses).toHaveLength(1);
    }
  });

  it('ranks keys by how long they were waited for, in the last minutes only', () => {
    const history = new LockHistory();
    history.record(acquired('old', 1n, 10_000), NOW - WINDOW_MS - 60_000);
    history.record(acquired('cold', 1n, 0), NOW);
    history.record(acquired('hot', 1n, 500), NOW);
    history.record(released('hot', 1n, 20), NOW + 20);
    history.record({ ...of('warm'), type: 'aborted', waitedMs: 100 }, NOW);
    expect(history.hottest(NOW + 20, 10)).toEqual([
      { service: 'default', key: 'hot', acquired: 1, failed: 0, waitedMs: 500, heldMs: 20 },
      { service: 'default', key: 'warm', acquired: 0, failed: 1, waitedMs: 100, heldMs: 0 },
      { service: 'default', key: 'cold', acquired: 1, failed: 0, waitedMs: 0, heldMs: 0 },
    ]);
    expect(history.hottest(NOW, 1)).toHaveLength(1);
  });

  it('keeps no more than so much, of one key and of all, and forgets keys that nothing happens to', () => {
    const history = new LockHistory();
    for (let token = 1n; token <= 1_000n; token += 1n) history.record(acquired('busy', token), NOW);
    expect(history.changedSpans(of('busy'), 0).map(({ token }) => token)).toEqual(
      Array.from({ length: 200 }, (_, index) => String(801 + index)),
    );
    for (let key = 0; key < 60_000; key += 1) {
      history.record(acquired(`key ${key}`, 1n), NOW);
      history.record(released(`key ${key}`, 1n, 0), NOW);
    }
    expect(history.changedSpans(of('busy'), 0)).toEqual([]);
    expect(history.hottest(NOW, 100_000)).toHaveLength(50_000);

    history.record(acquired('held', 1n), NOW);
    history.record(acquired('later', 1n), NOW + 2 * WINDOW_MS);
    expect(history.changedSpans(of('key 59999'), 0)).toEqual([]);
    expect(history.changedSpans(of('held'), 0)).toHaveLength(1);
  });
});
