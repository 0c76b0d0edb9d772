import { describe, expect, it } from '@jest/globals';
import { LockUnavailableError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { outcome, World } from './world.js';

describe('whoever has some of several keys and waits for the rest', () => {
  it('is aborted even in the turn in which it is handed one of them', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    await one.locks.acquire('b');
    const first = await two.locks.acquire('a');
    const abort = new AbortController();
    const got = outcome(two.locks.acquire(['a', 'b'], { signal: abort.signal, waitMs: Infinity }));
    await settled();
    void first.release();
    abort.abort('no');
    await settled();
    expect(got.error).toBe('no');
    expect([await world.line('a'), await world.line('b')]).toEqual([0, 1]);
  });

  it('is answered at once when it is aborted, however long giving back takes', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    await one.locks.acquire('c');
    const abort = new AbortController();
    const got = outcome(two.locks.acquire(['a', 'b', 'c'], { signal: abort.signal, waitMs: Infinity }));
    await settled();
    two.network.fate = (call) => (call === 'withdraw' ? 'hangs' : 'answered');
    abort.abort('no');
    await settled();
    expect(got.error).toBe('no');
    expect(two.network.count('withdraw')).toBe(3);
  });

  it('is told at once when one that it has is lost', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process({ leaseMs: 1_000 })];
    await one.locks.acquire('b');
    const got = outcome(two.locks.acquire(['a', 'b'], { waitMs: Infinity }));
    await settled();
    await world.vanish('a');
    await world.clock.pass(500);
    expect(got.error).toMatchObject({ code: 'LOCK_LOST', key: 'a', reason: 'claim-gone' });
    expect(await world.line('b')).toBe(1);
  });

  it('keeps none of them for minHoldMs when the body never ran', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    await one.locks.acquire('b');
    let ran = false;
    const running = two.locks.run(['a', 'b'], { minHoldMs: 60_000, waitMs: 0 }, () => void (ran = true));
    await expect(running).rejects.toBeInstanceOf(LockUnavailableError);
    await settled();
    expect(ran).toBe(false);
    expect(await world.line('a')).toBe(0);
  });
});
