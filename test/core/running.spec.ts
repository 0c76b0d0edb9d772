import { describe, expect, it } from '@jest/globals';
import { LockBackendError, LockLostError, LockUnavailableError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { outcome, World } from './world.js';

describe('run', () => {
  it('hands out what the body returns, and has released by then', async () => {
    const world = new World();
    const { locks } = world.process();
    expect(await locks.run('a', () => 'plain')).toBe('plain');
    expect(await locks.run('a', async () => 'promised')).toBe('promised');
    expect(await world.line('a')).toBe(0);
  });

  it.each([false, true])(
    'rethrows the error of the body itself, released or not (release fails: %s)',
    async (fails) => {
      const world = new World();
      const { locks, network } = world.process();
      network.fate = (call) => (fails && call === 'withdraw' ? 'not sent' : 'answered');
      const own = new Error('mine');
      await expect(locks.run('a', () => Promise.reject(own))).rejects.toBe(own);
      const thrower = (): never => {
        throw own;
      };
      await expect(locks.run('b', thrower)).rejects.toBe(own);
      const busy = new LockUnavailableError('elsewhere', { waitedMs: 1, ahead: 1 });
      await expect(locks.run('c', () => Promise.reject(busy))).rejects.toBe(busy);
    },
  );

  it('hands out the value of the body when only the release failed', async () => {
    const world = new World();
    const { locks, network, events } = world.process();
    network.fate = (call) => (call === 'withdraw' ? 'not sent' : 'answered');
    expect(await locks.run('a', () => 'value')).toBe('value');
    expect(events.some(({ type }) => type === 'release-failed')).toBe(true);
  });

  it('rejects with LockLostError when the lock was lost while the body ran, unless told to ignore it', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: 1_000 });
    const losing = async (): Promise<string> => {
      await world.vanish('a');
      await world.after(500);
      return 'value';
    };
    const thrown = outcome(locks.run('a', losing));
    await world.clock.pass(600);
    expect(thrown.error).toBeInstanceOf(LockLostError);
    const ignored = outcome(locks.run('a', { onLost: 'ignore' }, losing));
    await world.clock.pass(600);
    expect(ignored.value).toBe('value');
    const own = new Error('mine');
    const failing = outcome(locks.run('a', () => losing().then(() => Promise.reject(own))));
    await world.clock.pass(600);
    expect(failing.error).toBe(own);
  });

  it('notices a loss that only the release reveals', async () => {
    const world = new World();
    const { locks, events } = world.process();
    await expect(locks.run('a', () => world.vanish('a'))).rejects.toMatchObject({ reason: 'claim-gone' });
    expect(events.filter(({ type }) => type === 'lost')).toHaveLength(1);
  });

  it('keeps the key for minHoldMs after it was acquired, though the body ended sooner', async () => {
    const world = new World();
    const [one, two] = [world.process({ leaseMs: 1_000 }), world.process()];
    expect(await one.locks.run('a', { minHoldMs: 5_000 }, () => 'done')).toBe('done');
    const next = outcome(two.locks.acquire('a', { waitMs: Infinity }));
    const local = outcome(one.locks.tryAcquire('a'));
    await world.clock.pass(4_999);
    expect(next.state).toBe('pending');
    expect(local.value).toBeNull();
    await world.clock.pass(1);
    expect(next.state).toBe('fulfilled');
  });

  it('raises the lease to cover minHoldMs, so that a dead process keeps the key as long', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: 1_000 });
    await locks.run('a', { minHoldMs: 5_000 }, () => undefined);
    expect((await locks.inspect('a')).holders[0]!.leaseLeftMs).toBeGreaterThanOrEqual(5_000);
  });
});

describe('a manager that closes', () => {
  const body = (world: World, ms: number) => () => world.after(ms);

  it('refuses new callers, sends away those who wait, lets bodies end and releases what is left', async () => {
    const world = new World();
    const [other, { locks }] = [world.process(), world.process()];
    await other.locks.acquire('taken');
    const running = outcome(locks.run('a', body(world, 500)));
    const forgotten = await locks.acquire('b');
    const waiting = outcome(locks.acquire('taken'));
    await settled();
    const closing = outcome(locks.close());
    await settled();
    expect(waiting.error).toBeInstanceOf(LockBackendError);
    await expect(locks.acquire('c')).rejects.toThrow(/closed/);
    await world.clock.pass(499);
    expect(closing.state).toBe('pending');
    expect(forgotten.held).toBe(true);
    await world.clock.pass(1);
    expect(running.state).toBe('fulfilled');
    expect(closing.state).toBe('fulfilled');
    expect(forgotten.signal.reason).toMatchObject({ reason: 'closed' });
    for (const key of ['a', 'b']) expect(await world.line(key)).toBe(0);
    expect(await world.line('taken')).toBe(1);
  });

  it('lets a body that runs acquire what it needs to end', async () => {
    const world = new World();
    const { locks } = world.process();
    const running = outcome(locks.run('a', () => body(world, 100)().then(() => locks.run('b', () => 'nested'))));
    await settled();
    const closing = outcome(locks.close());
    await world.clock.pass(100);
    expect(running.value).toBe('nested');
    expect(closing.state).toBe('fulfilled');
  });

  it('takes the lock from a body that does not end within drainMs', async () => {
    const world = new World();
    const { locks } = world.process({ drainMs: 1_000 });
    const running = outcome(
      locks.run(
        'a',
        (lock) => new Promise((_, reject) => lock.signal.addEventListener('abort', () => reject(lock.signal.reason))),
      ),
    );
    await settled();
    const closing = outcome(locks.close());
    await world.clock.pass(1_000);
    expect(running.error).toMatchObject({ code: 'LOCK_LOST', reason: 'closed' });
    expect(closing.state).toBe('fulfilled');
  });

  it('leaves a key in its minHoldMs to its lease', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: 1_000 });
    await locks.run('a', { minHoldMs: 5_000 }, () => undefined);
    await locks.close();
    expect(await world.line('a')).toBe(1);
    await world.clock.pass(5_100);
    expect(await world.line('a')).toBe(0);
  });

  it.each(['not sent', 'hangs'] as const)(
    'closes in bounded time when the backend is dead (calls: %s)',
    async (fate) => {
      const world = new World();
      const { locks, network } = world.process({ drainMs: 1_000, leaseMs: 60_000 });
      await locks.acquire('a');
      const running = outcome(locks.run('b', body(world, 100)));
      await settled();
      network.fate = () => fate;
      const closing = outcome(locks.close());
      await world.clock.pass(3_000);
      expect(closing.state).toBe('fulfilled');
      expect(running.state).toBe(fate === 'hangs' ? 'pending' : 'fulfilled');
    },
  );
});

describe('events', () => {
  it('tell the life of a lock in order, and a listener that throws changes nothing', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const after: string[] = [];
    two.locks.subscribe(() => {
      throw new Error('a bad listener');
    });
    two.locks.subscribe(({ type }) => after.push(type));
    const lock = await one.locks.acquire('a');
    const waiting = two.locks.acquire('a');
    await settled();
    await lock.release();
    await (await waiting).release();
    expect(two.events.map(({ type }) => type)).toEqual(['queued', 'acquired', 'released']);
    expect(after).toEqual(['queued', 'acquired', 'released']);
  });
});
