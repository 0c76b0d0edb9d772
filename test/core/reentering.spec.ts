import { describe, expect, it } from '@jest/globals';
import { type Lock, LockLostError, LockReentrancyError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { outcome, World } from './world.js';

const LEASE = 1_000;

describe('a lock that was entered again', () => {
  it('is lost when the outer lock is released under it', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    let signal: AbortSignal | undefined;
    let inner: { state: string; error?: unknown } | undefined;
    await one.locks.run('a', async () => {
      const body = async (lock: Lock): Promise<void> => {
        signal = lock.signal;
        await world.after(100);
      };
      inner = outcome(one.locks.run('a', { reentrant: true }, body));
      await settled();
    });
    expect((await two.locks.acquire('a')).held).toBe(true);
    expect(signal!.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'released' });
    await world.clock.pass(100);
    expect(inner!.error).toBe(signal!.reason);
  });

  it.each([
    { how: 'was released', reason: 'released', options: {} },
    { how: 'was lost', reason: 'max-hold', options: { maxHoldMs: 50 } },
  ])('is refused to a sibling whose turn comes after the outer lock $how', async ({ reason, options }) => {
    const world = new World();
    const { locks } = world.process();
    let ran = false;
    let second: { error?: unknown } | undefined;
    const running = outcome(
      locks.run('a', options, async (outer) => {
        const first = outcome(locks.run('a', { reentrant: true }, () => world.after(100)));
        second = outcome(locks.run('a', { reentrant: true }, () => (ran = true)));
        await world.after(60);
        if (outer.held) await outer.release();
        await world.after(60);
        expect(first.error).toBeInstanceOf(LockLostError);
      }),
    );
    await world.clock.pass(99);
    expect(second).toMatchObject({ state: 'pending' });
    await world.clock.pass(100);
    expect(second!.error).toBeInstanceOf(LockLostError);
    expect(second!.error).toMatchObject({ key: 'a', reason });
    expect(ran).toBe(false);
    expect(running.state).toBe(reason === 'released' ? 'fulfilled' : 'rejected');
  });

  it('of several keys of which one was lost is refused for the others too, instead of waiting for its own call chain', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: LEASE });
    let nested: { error?: unknown } | undefined;
    const running = outcome(
      locks.run(['a', 'b'], async () => {
        await world.vanish('b');
        await world.after(LEASE / 2);
        nested = outcome(locks.run('a', { waitMs: Infinity }, () => 1));
        await settled();
      }),
    );
    await world.clock.pass(LEASE);
    expect(nested!.error).toMatchObject({ code: 'LOCK_LOST', key: 'b' });
    expect(running.state).toBe('rejected');
  });

  it('is not made exclusive by entering a third time, where a key beside it is only shared', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    await two.locks.acquire('b', { mode: 'shared' });
    let ran = false;
    const innermost = (): Promise<void> => one.locks.run('b', { reentrant: true }, () => void (ran = true));
    const inner = (): Promise<void> => one.locks.run(['a', 'b'], { mode: 'shared', reentrant: true }, innermost);
    await expect(one.locks.run('a', inner)).rejects.toBeInstanceOf(LockReentrancyError);
    expect(ran).toBe(false);
  });
});
