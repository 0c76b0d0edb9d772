import { describe, expect, it } from '@jest/globals';
import { LockConfigError, LockUnavailableError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { outcome, World } from './world.js';

describe('several keys', () => {
  it('are one lock: sorted, each once, with a token for each', async () => {
    const world = new World();
    const { locks, events } = world.process();
    const lock = await locks.acquire(['b', 'a', 'b', 'c']);
    expect(lock.keys).toEqual(['a', 'b', 'c']);
    expect(lock.held).toBe(true);
    expect(lock.fencingTokens.get('b')! < lock.fencingTokens.get('c')!).toBe(true);
    expect(() => lock.fencingToken).toThrow(LockConfigError);
    expect(await lock.release()).toBe(true);
    const released = events.filter(({ type }) => type === 'released').map(({ key }) => key);
    expect(released).toEqual(['c', 'b', 'a']);
    expect(lock.held).toBe(false);
  });

  it('share one deadline, and what was had is given back when the rest is not to be had', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const a = await one.locks.acquire('a');
    await one.locks.acquire('b');
    const waiting = outcome(two.locks.acquire(['a', 'b'], { waitMs: 1_000 }));
    await world.clock.pass(600);
    await a.release();
    await world.clock.pass(399);
    expect(waiting.state).toBe('pending');
    await world.clock.pass(1);
    expect(waiting.error).toBeInstanceOf(LockUnavailableError);
    expect(waiting.error).toMatchObject({ key: 'b', waitedMs: 1_000 });
    await settled();
    expect(await world.line('a')).toBe(0);
    expect(await two.locks.tryAcquire(['b', 'a'])).toBeNull();
    expect(await world.line('a')).toBe(0);
  });

  it('in opposite orders do not wait for each other', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    let done = 0;
    const work = Array.from({ length: 20 }, (_, index) => {
      const { locks } = index % 2 === 0 ? one : two;
      const keys = index % 3 === 0 ? ['a', 'b'] : ['b', 'a'];
      return locks.run(keys, { waitMs: Infinity }, async () => void (done += 1));
    });
    await world.clock.pass(100);
    await Promise.all(work);
    expect(done).toBe(20);
  });

  it('are lost when one of them is', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: 1_000 });
    const lock = await locks.acquire(['a', 'b']);
    const { signal } = lock;
    await world.vanish('b');
    await world.clock.pass(500);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ key: 'b', reason: 'claim-gone' });
    expect(lock.held).toBe(false);
    expect(await lock.release()).toBe(false);
    expect(await world.line('a')).toBe(0);
  });
});
