import { describe, expect, it, jest } from '@jest/globals';
import { type Lock, LockBackendError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { NOTHING, outcome, remains, World } from './world.js';

const LEASE = 1_000;

describe('a listener of events', () => {
  it('may release the lock whose loss it is told of', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a', { maxHoldMs: 500 });
    locks.subscribe(({ type }) => void (type === 'lost' && lock.release()));
    await world.clock.pass(500);
    expect(lock.signal.reason).toMatchObject({ reason: 'max-hold' });
    expect(await world.line('a')).toBe(0);
    expect(remains(locks)).toEqual(NOTHING);
  });

  it('that releases a lost lock does not hide the loss from whoever runs under it', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    let held: Lock | undefined;
    locks.subscribe(({ type }) => void (type === 'lost' && held!.release()));
    const running = outcome(
      locks.run('a', { minHoldMs: 5_000 }, (lock) => {
        held = lock;
        return world.after(4_990);
      }),
    );
    await settled();
    network.fate = () => 'hangs';
    await world.clock.pass(5_100);
    expect(running.error).toMatchObject({ code: 'LOCK_LOST', reason: 'lease-ended' });
  });

  it('that releases once more the lock that was just handed over takes nothing from the next caller', async () => {
    const world = new World();
    const { locks } = world.process();
    const first = await locks.acquire('a');
    const [second, third] = [outcome(locks.acquire('a')), outcome(locks.acquire('a'))];
    await settled();
    locks.subscribe(({ type }) => void (type === 'handed-over' && first.release()));
    await first.release();
    await settled();
    expect(second.value?.held).toBe(true);
    expect(third.state).toBe('pending');
  });

  it('that aborts the signal of a caller that was just admitted comes too late: the caller has the lock', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: LEASE });
    const abort = new AbortController();
    locks.subscribe(({ type }) => type === 'acquired' && abort.abort('no'));
    const got = outcome(locks.acquire('a', { signal: abort.signal }));
    await world.clock.pass(10 * LEASE);
    expect(got.value?.held).toBe(true);
    await got.value!.release();
    expect(await world.line('a')).toBe(0);
  });

  it('may close the manager when it is told that somebody waits', async () => {
    const world = new World();
    const [one, { locks }] = [world.process(), world.process()];
    await one.locks.acquire('a');
    locks.subscribe(({ type }) => void (type === 'queued' && locks.close()));
    const got = outcome(locks.acquire('a', { waitMs: 1_000_000 }));
    await world.clock.pass(100);
    expect(got.error).toBeInstanceOf(LockBackendError);
    expect(remains(locks)).toEqual(NOTHING);
    expect(await world.line('a')).toBe(1);
  });

  it('may abort the signal of whoever it is told waits, which is told of once', async () => {
    const world = new World();
    const [one, { locks, events }] = [world.process(), world.process()];
    await one.locks.acquire('a');
    const abort = new AbortController();
    locks.subscribe(({ type }) => type === 'queued' && abort.abort('no'));
    const got = outcome(locks.acquire('a', { waitMs: 1_000, signal: abort.signal }));
    await world.clock.pass(100);
    expect(got.error).toBe('no');
    expect(remains(locks)).toEqual(NOTHING);
    await world.clock.pass(2_000);
    expect(events.map(({ type }) => type)).toEqual(['queued', 'aborted']);
  });

  it('that aborts the signal of a waiter that is being sent away does not send it away twice', async () => {
    const world = new World();
    const [one, { locks, events }] = [world.process(), world.process()];
    await one.locks.acquire('a');
    const abort = new AbortController();
    locks.subscribe(({ type }) => type === 'timed-out' && abort.abort('no'));
    const waiting = [outcome(locks.acquire('a')), outcome(locks.acquire('a', { signal: abort.signal }))];
    await settled();
    void locks.drain();
    await world.clock.pass(10);
    for (const { error } of waiting) expect(error).toBeInstanceOf(LockBackendError);
    expect(events.map(({ type }) => type)).toEqual(['queued', 'queued', 'timed-out', 'timed-out']);
  });
});

describe('a listener that fails', () => {
  const throwsNoText = (): void => {
    throw Object.create(null);
  };
  const rejects = async (): Promise<void> => {
    throw new Error('a bad listener');
  };
  it.each([
    { how: 'throws what no text can be made of', listener: throwsNoText, because: 'object' },
    { how: 'is async and rejects', listener: rejects, because: 'a bad listener' },
  ])('and $how is a warning, and changes nothing', async ({ listener, because }) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      const { locks } = new World().process();
      locks.subscribe(listener);
      expect((await locks.acquire('a')).held).toBe(true);
      await settled();
      expect(warn.mock.calls).toEqual([
        [`a listener of lock events threw on 'acquired': ${because}`, 'LockListenerWarning'],
      ]);
    } finally {
      warn.mockRestore();
    }
  });
});
