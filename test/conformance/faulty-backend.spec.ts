import assert from 'node:assert/strict';
import { beforeEach, describe, it } from '@jest/globals';
import { type Claim, type Standing } from '../../lib/core/backend.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import {
  always,
  type Fault,
  FaultyBackend,
  first,
  InjectedFaultError,
  randomFaults,
} from '../../lib/conformance/index.js';
import { IdleClock } from '../support/idle-clock.js';

describe('a faulty backend', () => {
  let clock: IdleClock;
  let store: MemoryBackend;
  let faulty: FaultyBackend;

  beforeEach(() => {
    clock = new IdleClock();
    store = new MemoryBackend({ clock });
    faulty = new FaultyBackend(store, { clock });
  });

  it('passes everything on until it has a plan', async () => {
    const claim = open('a');
    assert.ok((await claim.attempt({ queue: true })).held);
    assert.equal(await claim.renew(), true);
    assert.deepEqual(await faulty.inspect('key'), await store.inspect('key'));
    assert.deepEqual(await listed(), ['key']);
    assert.equal(await claim.withdraw(), true);
    assert.deepEqual(
      faulty.calls.map(({ method, key, id }) => [method, key, id]),
      [
        ['attempt', 'key', 'a'],
        ['renew', 'key', 'a'],
        ['inspect', 'key', ''],
        ['withdraw', 'key', 'a'],
      ],
    );
    assert.equal(faulty.count('renew'), 1);
  });

  it.each<[Fault, { executed: boolean; settles: boolean }]>([
    ['fail', { executed: false, settles: true }],
    ['lose-reply', { executed: true, settles: true }],
    ['hang', { executed: false, settles: false }],
    ['no-reply', { executed: true, settles: false }],
  ])('%s', async (fault, { executed, settles }) => {
    faulty.plan = first(1, 'attempt', fault);
    const claim = open('a');
    let outcome: unknown = 'open';
    Promise.resolve(claim.attempt({ queue: true })).then(
      (standing) => (outcome = standing),
      (error: unknown) => (outcome = error),
    );
    await pass(10);
    assert.equal((await store.inspect('key')).length, executed ? 1 : 0);
    assert.equal(settles ? outcome instanceof InjectedFaultError : outcome === 'open', true);
    // It was the first call only, and the next one of the claim is not held up by it.
    assert.equal(await claim.withdraw(), executed);
  });

  it('duplicate: executes twice, and the first answer counts', async () => {
    const claim = open('a');
    await claim.attempt({ queue: true });
    faulty.plan = always(['withdraw', 'inspect'], 'duplicate');
    assert.equal(await claim.withdraw(), true);
    assert.equal(await store.claim({ key: 'key', id: 'a', slots: 1, leaseMs: 1_000 }).withdraw(), false);
  });

  it('delay: executes later, and a call that was sent after it on the same claim takes effect after it', async () => {
    faulty.plan = first(1, 'attempt', { delayMs: 50 });
    const [claim, other] = [open('a'), open('b')];
    const attempt = claim.attempt({ queue: true });
    const withdrawal = claim.withdraw();
    assert.ok((await other.attempt({ queue: true })).held);
    assert.equal((await attempt).held, false);
    assert.equal(await withdrawal, true);
    assert.deepEqual(
      (await store.inspect('key')).map(({ id }) => id),
      ['b'],
    );
  });

  it('late reply: executes at once, and answers later', async () => {
    faulty.plan = always('attempt', { replyDelayMs: 50 });
    const answered = Promise.resolve(open('a').attempt({ queue: true })).then(() => clock.now());
    const startedAt = clock.now();
    await pass(1);
    assert.equal((await store.inspect('key')).length, 1);
    assert.ok((await answered) - startedAt >= 50);
  });

  it.each<[Fault, number]>([
    ['fail', 0],
    ['hang', 0],
    ['lose-reply', 0],
    ['duplicate', 2],
    [{ delayMs: 50 }, 1],
  ])('a wake with %j', async (fault, expected) => {
    faulty.plan = always('wake', fault);
    const [holder, waiter] = [open('a'), open('b')];
    const wakes: (Standing | undefined)[] = [];
    const end = waiter.watch!((standing) => void wakes.push(standing));
    await holder.attempt({ queue: true });
    await waiter.attempt({ queue: true });
    await holder.withdraw();
    await pass(100);
    assert.equal(wakes.length, expected);
    assert.ok(wakes.every((standing) => standing?.held));
    end();
  });

  it('a late wake does not come after the watch has ended', async () => {
    faulty.plan = always('wake', { delayMs: 50 });
    const [holder, waiter] = [open('a'), open('b')];
    let wakes = 0;
    const end = waiter.watch!(() => void (wakes += 1));
    await holder.attempt({ queue: true });
    await waiter.attempt({ queue: true });
    await holder.withdraw();
    end();
    await pass(100);
    assert.equal(wakes, 0);
  });

  it('random faults are the same for the same seed, and as frequent as was asked for', () => {
    const rates = { fail: 0.1, loseReply: 0.2, duplicate: 0.1, delay: 0.2, maxDelayMs: 30, drop: 0.3 };
    const faults = (seed: number): (Fault | undefined)[] => {
      const plan = randomFaults(seed, rates);
      return Array.from({ length: 10_000 }, () => plan({ method: 'attempt', key: 'key', id: 'a' }));
    };
    assert.deepEqual(faults(1), faults(1));
    assert.notDeepEqual(faults(1), faults(2));
    const share = (is: (fault: Fault | undefined) => boolean): number => faults(3).filter(is).length / 10_000;
    const near = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 0.02, `${actual}`);
    near(
      share((fault) => fault === 'fail'),
      0.1,
    );
    near(
      share((fault) => fault === 'lose-reply'),
      0.2,
    );
    near(
      share((fault) => fault === 'duplicate'),
      0.1,
    );
    near(
      share((fault) => typeof fault === 'object' && 'delayMs' in fault && fault.delayMs > 0 && fault.delayMs <= 30),
      0.2,
    );
    near(
      share((fault) => fault === undefined),
      0.4,
    );
    const wake = randomFaults(4, rates);
    const dropped = Array.from({ length: 10_000 }, () => wake({ method: 'wake', key: 'key', id: 'a' }));
    near(dropped.filter((fault) => fault === 'fail').length / 10_000, 0.3);
  });

  function open(id: string): Claim {
    return faulty.claim({ key: 'key', id, slots: 1, leaseMs: 1_000 });
  }

  async function listed(): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of faulty.list!()) keys.push(key);
    return keys;
  }

  async function pass(forMs: number): Promise<void> {
    await new Promise<void>((resolve) => void clock.alarm(forMs, resolve));
  }
});
