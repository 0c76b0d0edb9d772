import { describe, expect, it } from '@jest/globals';
import { type Lock, LockBackendError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { type Network, NOTHING, outcome, remains, World } from './world.js';

const LEASE = 1_000;
/** More turns of the microtask queue than anything that a release sets off needs. */
const TURNS = Array.from({ length: 30 }, (_, turns) => turns);

/** When withdrawals are done, each of which takes 5 ms, and when the backend is closed. */
function orderOfEnding(world: World, network: Network): string[] {
  const order: string[] = [];
  network.fate = (call) => (call === 'withdraw' ? world.after(5).then(() => void order.push('withdrawn')) : 'answered');
  Object.assign(network, { close: async () => void order.push('backend closed') });
  return order;
}

async function microtasks(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await undefined;
}

describe('the backend is closed after', () => {
  it('the claim of a caller that was still asking has left', async () => {
    const world = new World();
    const { locks, network } = world.process();
    const order = orderOfEnding(world, network);
    const { fate } = network;
    network.fate = (call) => (call === 'attempt' ? world.after(5) : fate(call));
    const got = outcome(locks.acquire('a'));
    await settled();
    const closing = outcome(locks.close());
    await world.clock.pass(100);
    expect(got.error).toBeInstanceOf(LockBackendError);
    expect(closing.state).toBe('fulfilled');
    expect(order).toEqual(['withdrawn', 'backend closed']);
    expect(await world.line('a')).toBe(0);
  });

  it('the claim of a caller that waited has left', async () => {
    const world = new World();
    const [one, { locks, network }] = [world.process(), world.process()];
    const order = orderOfEnding(world, network);
    await one.locks.acquire('a');
    const got = outcome(locks.acquire('a'));
    await settled();
    const closing = outcome(locks.close());
    await world.clock.pass(100);
    expect(got.error).toBeInstanceOf(LockBackendError);
    expect(closing.state).toBe('fulfilled');
    expect(order).toEqual(['withdrawn', 'backend closed']);
  });

  it('a lock that was being released has been', async () => {
    const world = new World();
    const { locks, network } = world.process();
    const order = orderOfEnding(world, network);
    const lock = await locks.acquire('a');
    const released = outcome(lock.release());
    const closing = outcome(locks.close());
    await world.clock.pass(100);
    expect(released.value).toBe(true);
    expect(closing.state).toBe('fulfilled');
    expect(order).toEqual(['withdrawn', 'backend closed']);
  });
});

describe('closing', () => {
  it('while a lock is released and another caller waits for it: all of it ends', async () => {
    const world = new World();
    const { locks } = world.process();
    const lock = await locks.acquire('a');
    const waiting = outcome(locks.acquire('a'));
    await settled();
    const ends = [outcome(locks.close()), outcome(lock.release()), outcome(locks.close())];
    await world.clock.pass(100);
    expect(ends.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(waiting.error).toBeInstanceOf(LockBackendError);
    expect(await world.line('a')).toBe(0);
  });

  it.each(['not sent', 'hangs'] as const)(
    'on a dead backend leaves nothing behind that keeps the process alive, however long the lease (calls: %s)',
    async (fate) => {
      const world = new World();
      const { locks, network } = world.process({ leaseMs: 3_600_000, drainMs: 1_000 });
      await locks.acquire('a');
      network.fate = () => fate;
      const closing = outcome(locks.close());
      await world.clock.pass(10_000);
      expect(closing.state).toBe('fulfilled');
      expect(remains(locks)).toEqual(NOTHING);
    },
  );

  it.each([0, 1_000, 10_000, 60_000])(
    'on a backend that never answers is over within drainMs (%d) and ten seconds, whoever runs and waits',
    async (drainMs) => {
      const world = new World();
      const [other, { locks, network }] = [world.process(), world.process({ drainMs, leaseMs: 3_600_000 })];
      await other.locks.acquire('b');
      await locks.acquire('by hand');
      const runs = [
        locks.run('a', () => world.after(1_000_000)),
        locks.run('b', { waitMs: 1_000_000 }, () => undefined),
        locks.run('c', { minHoldMs: 1_000_000 }, () => undefined),
      ].map(outcome);
      await settled();
      network.fate = () => 'hangs';
      Object.assign(network, { close: () => new Promise(() => undefined) });
      const closing = outcome(locks.close());
      await world.clock.pass(drainMs + 10_000);
      expect(closing.state).toBe('fulfilled');
      expect(runs.map(({ state }) => state)).toEqual(['pending', 'rejected', 'fulfilled']);
    },
  );

  it('rejects with what the backend fails with when it is closed', async () => {
    const { locks, network } = new World().process();
    const own = new Error('could not close');
    Object.assign(network, { close: () => Promise.reject(own) });
    await expect(locks.close()).rejects.toBe(own);
  });

  it('at any moment after a lock was handed to a run: its body runs to its end', async () => {
    for (const turns of TURNS) {
      const world = new World();
      const { locks } = world.process();
      const holder = await locks.acquire('a');
      const body = async (lock: Lock): Promise<string> => {
        await world.after(10);
        return lock.signal.aborted ? 'interrupted' : 'to its end';
      };
      const running = outcome(locks.run('a', body));
      await settled();
      void holder.release();
      await microtasks(turns);
      const closing = outcome(locks.close());
      await world.clock.pass(LEASE);
      const ended = { running: { value: 'to its end' }, closing: { state: 'fulfilled' } };
      expect({ turns, running, closing }).toMatchObject({ turns, ...ended });
    }
  });

  it('at any moment after the first of two keys was had: the second is no longer waited for, nor anything asked', async () => {
    for (const turns of TURNS) {
      const world = new World();
      const [other, { locks, network }] = [world.process(), world.process()];
      let callsAtClose = Infinity;
      Object.assign(network, { close: async () => void (callsAtClose = network.calls.length) });
      await other.locks.acquire('b');
      const holder = await locks.acquire('a');
      const got = outcome(locks.acquire(['a', 'b'], { waitMs: Infinity }));
      await settled();
      void holder.release();
      await microtasks(turns);
      const closing = outcome(locks.close());
      await world.clock.pass(100_000);
      const error = expect.any(LockBackendError);
      expect({ turns, got, closing }).toMatchObject({ turns, got: { error }, closing: { state: 'fulfilled' } });
      expect(network.calls.slice(callsAtClose)).toEqual([]);
      expect(remains(locks)).toEqual(NOTHING);
    }
  });
});

describe('draining', () => {
  it('at any moment after the first of two keys was had: the second is no longer waited for', async () => {
    for (const turns of TURNS) {
      const world = new World();
      const [other, { locks }] = [world.process(), world.process()];
      await other.locks.acquire('b');
      const holder = await locks.acquire('a');
      const got = outcome(locks.acquire(['a', 'b'], { waitMs: Infinity }));
      await settled();
      void holder.release();
      await microtasks(turns);
      void locks.drain();
      await world.clock.pass(100_000);
      expect({ turns, got }).toMatchObject({ turns, got: { error: expect.any(LockBackendError) } });
    }
  });

  it('serves a run that waits, for one key or for several, and lets its body end; refuses a new one', async () => {
    const world = new World();
    const [other, { locks }] = [world.process(), world.process()];
    const holders = [await other.locks.acquire('a'), await other.locks.acquire('b')];
    const waiting = [locks.run('a', () => 'one'), locks.run(['a', 'b'], () => 'several')].map(outcome);
    await settled();
    const draining = outcome(locks.drain());
    const refused = outcome(locks.run('c', () => 'new'));
    await settled();
    expect([draining.state, refused.error]).toEqual(['pending', expect.any(LockBackendError)]);
    for (const holder of holders) await holder.release();
    await world.clock.pass(100);
    expect(waiting).toMatchObject([{ value: 'one' }, { value: 'several' }]);
    expect(draining.state).toBe('fulfilled');
  });

  it('sends away who would wait for ever, and who would hold by hand, but not inside a body', async () => {
    const world = new World();
    const [other, { locks }] = [world.process(), world.process()];
    const holder = await other.locks.acquire('a');
    const away = [outcome(locks.run('a', { waitMs: Infinity }, () => 'never')), outcome(locks.acquire('a'))];
    const body = outcome(locks.run('body', async () => (await locks.acquire('a', { waitMs: Infinity })).release()));
    await settled();
    const draining = outcome(locks.drain());
    await settled();
    for (const { error } of away) expect(error).toBeInstanceOf(LockBackendError);
    expect([body.state, draining.state]).toEqual(['pending', 'pending']);
    await holder.release();
    await world.clock.pass(100);
    expect([body.value, draining.state]).toEqual([true, 'fulfilled']);
  });

  it('at drainMs sends everybody away and takes every lock, whether or not it is closed', async () => {
    const world = new World();
    const [other, { locks }] = [world.process(), world.process({ drainMs: LEASE })];
    await other.locks.acquire('a');
    const byHand = await locks.acquire('b');
    const waiting = outcome(locks.run('a', () => 'never'));
    const running = outcome(locks.run('c', (lock) => world.after(2 * LEASE).then(() => lock.assertHeld())));
    await settled();
    const draining = outcome(locks.drain());
    await world.clock.pass(LEASE - 1);
    expect([waiting.state, draining.state, byHand.held]).toEqual(['pending', 'pending', true]);
    await world.clock.pass(1);
    expect([waiting.error, draining.state]).toEqual([expect.any(LockBackendError), 'fulfilled']);
    expect(byHand.signal.reason).toMatchObject({ reason: 'closed' });
    await world.clock.pass(LEASE);
    expect(running.error).toMatchObject({ code: 'LOCK_LOST', reason: 'closed' });
  });

  it('leaves a lock that is held by hand alone before drainMs, though nothing else runs', async () => {
    const world = new World();
    const { locks } = world.process({ drainMs: LEASE });
    const byHand = await locks.acquire('a');
    await locks.drain();
    await world.clock.pass(LEASE - 1);
    expect(byHand.held).toBe(true);
  });

  it('refuses who runs under a lock of another manager on another backend', async () => {
    const [world, elsewhere] = [new World(), new World()];
    const [{ locks }, other] = [world.process(), elsewhere.process()];
    const running = outcome(locks.run('a', () => world.after(100)));
    await settled();
    await other.locks.run('x', async () => {
      void locks.drain();
      await expect(locks.acquire('b')).rejects.toThrow(/closed/);
    });
    await world.clock.pass(100);
    expect(running.state).toBe('fulfilled');
  });
});

describe('closing inside a body', () => {
  it('counts the body as running: its lock is left to it until it ends', async () => {
    const world = new World();
    const { locks } = world.process();
    let closing: { state: string } | undefined;
    const running = outcome(
      locks.run('a', async (lock) => {
        closing = outcome(locks.close());
        await world.after(100);
        return lock.held;
      }),
    );
    await world.clock.pass(99);
    expect(closing!.state).toBe('pending');
    await world.clock.pass(1);
    expect(running.value).toBe(true);
    expect(closing!.state).toBe('fulfilled');
  });

  it('and waiting for that there waits for drainMs, after which the lock is taken from the body', async () => {
    const world = new World();
    const { locks } = world.process({ drainMs: LEASE });
    const running = outcome(locks.run('a', () => locks.close()));
    await world.clock.pass(LEASE - 1);
    expect(running.state).toBe('pending');
    await world.clock.pass(1);
    expect(running.error).toMatchObject({ code: 'LOCK_LOST', reason: 'closed' });
    expect(remains(locks)).toEqual(NOTHING);
  });
});

describe('a key that a closed manager leaves in its minHoldMs', () => {
  const MIN_HOLD = 5_000;

  it.each([
    { how: 'told by a wake, long after it was asked for', local: false },
    { how: 'handed over by another caller of its process', local: true },
  ])('is kept for all of it when it was $how', async ({ local }) => {
    const world = new World();
    const [one, two, three] = [world.process(), world.process(), world.process()];
    const holder = await (local ? two : one).locks.acquire('job', { leaseMs: MIN_HOLD });
    let startedAt = NaN;
    const job = (): void => void (startedAt = world.clock.now());
    const running = outcome(two.locks.run('job', { leaseMs: LEASE, minHoldMs: MIN_HOLD }, job));
    await world.clock.pass(0.4 * MIN_HOLD);
    await holder.release();
    const closing = outcome(two.locks.close());
    const next = three.locks.acquire('job', { waitMs: Infinity }).then(() => world.clock.now());
    await world.clock.pass(4 * MIN_HOLD);
    expect(running.state).toBe('fulfilled');
    expect(closing.state).toBe('fulfilled');
    expect((await next) - startedAt).toBeGreaterThanOrEqual(MIN_HOLD);
  });
});
