import { describe, expect, it } from '@jest/globals';
import { LockManager, LockReentrancyError, LockUnavailableError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { outcome, World } from './world.js';

describe('a call chain that holds a key', () => {
  it('gets LockReentrancyError at once when it wants the key again', async () => {
    const { locks } = new World().process();
    await locks.run('a', async () => {
      await expect(locks.run('a', () => 1)).rejects.toBeInstanceOf(LockReentrancyError);
      await expect(locks.acquire('a')).rejects.toBeInstanceOf(LockReentrancyError);
      await expect(locks.tryAcquire(['b', 'a'])).rejects.toBeInstanceOf(LockReentrancyError);
      await expect(locks.run('b', () => locks.run('a', () => 1))).rejects.toBeInstanceOf(LockReentrancyError);
    });
  });

  it('enters with reentrant: true, under the same lock, whose end is not the end of the outer one', async () => {
    const { locks, network } = new World().process();
    await locks.run('a', async (outer) => {
      const token = await locks.run('a', { reentrant: true }, async (inner) => {
        expect(inner.held).toBe(true);
        await inner.release();
        expect(inner.held).toBe(false);
        return inner.fencingToken;
      });
      expect(token).toBe(outer.fencingToken);
      expect(outer.held).toBe(true);
    });
    expect(network.calls).toEqual(['attempt', 'withdraw']);
  });

  it('siblings on the same key never run together: refused by default, in turns with reentrant: true', async () => {
    const world = new World();
    const { locks } = world.process();
    let inside = 0;
    let most = 0;
    const sibling = (reentrant: boolean): Promise<void> =>
      locks.run('a', { reentrant, waitMs: Infinity }, async () => {
        most = Math.max(most, (inside += 1));
        await world.after(10);
        await locks.run('a', { reentrant: true }, () => undefined);
        inside -= 1;
      });
    const done = locks.run('a', async () => {
      const refused = await Promise.allSettled([sibling(false), sibling(false)]);
      expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(most).toBe(0);
      await Promise.all([sibling(true), sibling(true), sibling(true)]);
    });
    await world.clock.pass(100);
    await done;
    expect(most).toBe(1);
  });

  it('a sibling waits for its turn no longer than waitMs, and not past its signal', async () => {
    const world = new World();
    const { locks } = world.process();
    const abort = new AbortController();
    const results: { error?: unknown }[] = [];
    const done = locks.run('a', async () => {
      const long = locks.run('a', { reentrant: true }, () => world.after(100));
      results.push(outcome(locks.run('a', { reentrant: true, waitMs: 50 }, () => 1)));
      results.push(outcome(locks.run('a', { reentrant: true, signal: abort.signal }, () => 1)));
      await long;
      return locks.run('a', { reentrant: true }, () => 'next');
    });
    await world.clock.pass(20);
    abort.abort('enough');
    await world.clock.pass(100);
    expect(await done).toBe('next');
    expect(results[0]!.error).toBeInstanceOf(LockUnavailableError);
    expect(results[1]!.error).toBe('enough');
  });

  it('cannot make a shared key exclusive by entering again', async () => {
    const { locks } = new World().process();
    await locks.run('a', { mode: 'shared' }, async () => {
      await expect(locks.run('a', { reentrant: true }, () => 1)).rejects.toThrow(/shared/);
      await expect(locks.run('a', { reentrant: true, mode: 'shared' }, () => 1)).resolves.toBe(1);
    });
  });

  it('no longer holds a lock that was released by hand, nor one that outlived its run in a forgotten call', async () => {
    const world = new World();
    const { locks } = world.process();
    await locks.run('a', async (lock) => {
      await lock.release();
      await expect(locks.run('a', () => 'again')).resolves.toBe('again');
    });
    let forgotten: Promise<string> | undefined;
    await locks.run('a', async () => {
      forgotten = settled().then(() => locks.run('a', () => 'later'));
    });
    await expect(forgotten).resolves.toBe('later');
  });

  it('is told which lock it runs under', async () => {
    const { locks } = new World().process();
    expect(LockManager.current()).toBeUndefined();
    await locks.run('a', async (outer) => {
      await settled();
      expect(LockManager.current()).toBe(outer);
      await locks.run('b', async (inner) => {
        expect(LockManager.current()).toBe(inner);
        await inner.release();
        expect(LockManager.current()).toBe(outer);
      });
    });
    expect(LockManager.current()).toBeUndefined();
  });

  it('two managers on one backend are one to it', async () => {
    const world = new World();
    const one = new LockManager({ backend: world.memory }, { clock: world.clock });
    const two = new LockManager({ backend: world.memory }, { clock: world.clock });
    await one.run('a', () => expect(two.run('a', () => 1)).rejects.toBeInstanceOf(LockReentrancyError));
  });
});
