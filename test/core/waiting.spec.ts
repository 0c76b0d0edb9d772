import { describe, expect, it } from '@jest/globals';
import { LockBackendError, LockConfigError, LockUnavailableError } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { outcome, World } from './world.js';

const LEASE = 1_000;

describe('waiting', () => {
  it('ends at its deadline with LockUnavailableError, and leaves no trace', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const lock = await one.locks.acquire('a');
    const waiting = outcome(two.locks.acquire('a', { waitMs: 200 }));
    await world.clock.pass(199);
    expect(waiting.state).toBe('pending');
    await world.clock.pass(1);
    expect(waiting.error).toBeInstanceOf(LockUnavailableError);
    expect(waiting.error).toMatchObject({ code: 'LOCK_UNAVAILABLE', key: 'a', waitedMs: 200, ahead: 1 });
    expect(await world.line('a')).toBe(1);
    expect(lock.held).toBe(true);
  });

  it('asks a last time at its deadline, so that a lost wake does not make it give up too soon', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    two.network.wakes = false;
    const lock = await one.locks.acquire('a');
    const waiting = two.locks.acquire('a', { waitMs: 200 });
    await world.clock.pass(150);
    await lock.release();
    await world.clock.pass(50);
    expect((await waiting).held).toBe(true);
  });

  it('works, slower, when every wake is lost', async () => {
    const world = new World();
    const [one, two] = [world.process({ leaseMs: LEASE }), world.process({ leaseMs: LEASE })];
    two.network.wakes = false;
    const lock = await one.locks.acquire('a');
    const waiting = outcome(two.locks.acquire('a', { waitMs: Infinity }));
    await world.clock.pass(10_050);
    await lock.release();
    expect(waiting.state).toBe('pending');
    await world.clock.pass(LEASE);
    expect(waiting.state).toBe('fulfilled');
  });

  it('costs one attempt when the hand-off is told, and no second question', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const lock = await one.locks.acquire('a');
    const waiting = two.locks.acquire('a');
    await settled();
    await lock.release();
    const next = await waiting;
    expect(next.held).toBe(true);
    await next.release();
    expect(two.network.calls).toEqual(['attempt', 'withdraw']);
  });

  it('a hand-off is counted from the last attempt: renewed at once when that is long ago', async () => {
    const world = new World();
    const [one, two] = [world.process({ leaseMs: LEASE }), world.process({ leaseMs: LEASE })];
    const lock = await one.locks.acquire('a');
    const waiting = two.locks.acquire('a');
    await world.clock.pass(0.4 * LEASE);
    await lock.release();
    const next = await waiting;
    expect(next.remainingMs).toBeLessThan(0.6 * LEASE);
    await world.clock.pass(1);
    expect(two.network.calls).toEqual(['attempt', 'renew']);
    expect(next.remainingMs).toBeGreaterThan(0.9 * LEASE);
  });

  it('one try asks the backend exactly once, or not at all when this process is known to hold the key', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    await one.locks.acquire('a');
    expect(await two.locks.tryAcquire('a')).toBeNull();
    expect(await one.locks.tryAcquire('a')).toBeNull();
    expect(two.network.calls).toEqual(['attempt']);
    expect(one.network.calls).toEqual(['attempt']);
    expect(await world.line('a')).toBe(1);
  });

  it('two tries that can share the key both get it, also at the same time', async () => {
    const { locks } = new World().process();
    const tries = ['shared', 'shared', 'exclusive', 'shared'] as const;
    const got = await Promise.all(tries.map((mode) => locks.tryAcquire('a', { mode })));
    expect(got.map((lock) => lock !== null)).toEqual([true, true, false, true]);
  });

  it('an abort rejects with the reason of the signal, at once, and leaves the line', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    await one.locks.acquire('a');
    const abort = new AbortController();
    const waiting = outcome(two.locks.acquire('a', { signal: abort.signal }));
    await settled();
    expect(await world.line('a')).toBe(2);
    abort.abort('changed my mind');
    await settled();
    expect(waiting.error).toBe('changed my mind');
    expect(await world.line('a')).toBe(1);
  });

  it('a signal that has aborted already asks nothing; one that aborts later does nothing to the lock', async () => {
    const world = new World();
    const { locks, network } = world.process();
    await expect(locks.acquire('a', { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(network.calls).toEqual([]);
    const abort = new AbortController();
    const lock = await locks.acquire('a', { signal: abort.signal });
    abort.abort();
    await settled();
    expect(lock.held).toBe(true);
    expect(lock.signal.aborted).toBe(false);
  });

  it('an abort while the attempt is under way withdraws after it, so that a late grant leaves nothing behind', async () => {
    const world = new World();
    const { locks, network } = world.process();
    let answer: () => void = () => undefined;
    const reply = new Promise<void>((resolve) => (answer = resolve));
    network.fate = (call) => (call === 'attempt' ? reply : 'answered');
    const abort = new AbortController();
    const waiting = outcome(locks.acquire('a', { signal: abort.signal }));
    await settled();
    abort.abort('no');
    await settled();
    expect(waiting.error).toBe('no');
    expect(network.calls).toEqual(['attempt']);
    answer();
    await settled();
    expect(network.calls).toEqual(['attempt', 'withdraw']);
    expect(await world.line('a')).toBe(0);
  });

  it('past maxWaiters is LockUnavailableError at once', async () => {
    const world = new World();
    const { locks } = world.process({ maxWaiters: 2 });
    await locks.acquire('a');
    const waiting = [outcome(locks.acquire('a')), outcome(locks.acquire('a'))];
    await expect(locks.acquire('a')).rejects.toThrow(/maxWaiters \(2\)/);
    await expect(locks.acquire('b')).resolves.toMatchObject({ held: true });
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending']);
  });

  it('1,000 waiters of which 999 are aborted at random: the last is served, and nothing is left of the others', async () => {
    const world = new World();
    const { locks, network } = world.process();
    const internals = locks as unknown as { context: { timers: { size: number } }; lines: Map<string, unknown> };
    const lock = await locks.acquire('a');
    const baseline = internals.context.timers.size;
    const aborts = Array.from({ length: 1_000 }, () => new AbortController());
    const waiting = aborts.map(({ signal }) => outcome(locks.acquire('a', { signal, waitMs: 60_000 })));
    await settled();
    expect(internals.context.timers.size).toBe(baseline + 1_000);
    const survivor = Math.floor(Math.random() * 1_000);
    const doomed = aborts.map((_, index) => index).filter((index) => index !== survivor);
    for (let left = doomed.length; left > 0; left -= 1) {
      const [index] = doomed.splice(Math.floor(Math.random() * left), 1);
      aborts[index!]!.abort();
    }
    await lock.release();
    await settled();
    expect(waiting[survivor]).toMatchObject({ state: 'fulfilled', value: { held: true } });
    expect(waiting.filter(({ state }) => state === 'rejected')).toHaveLength(999);
    expect(internals.context.timers.size).toBe(baseline);
    await waiting[survivor]!.value!.release();
    expect(internals.context.timers.size).toBe(0);
    expect(internals.lines.size).toBe(0);
    expect(network.calls).toEqual(['attempt', 'withdraw']);
  });
});

describe('when the outcome of a call is not known', () => {
  it('an attempt whose reply was lost is repeated, and finds its own claim', async () => {
    const world = new World();
    const { locks, network } = world.process();
    let lost = 2;
    network.fate = (call) => (call === 'attempt' && (lost -= 1) >= 0 ? 'reply lost' : 'answered');
    const waiting = locks.acquire('a');
    await world.clock.pass(500);
    const lock = await waiting;
    expect(lock.held).toBe(true);
    expect(await world.line('a')).toBe(1);
    expect(network.calls).toEqual(['attempt', 'attempt', 'attempt']);
  });

  it('one try that failed is LockBackendError, never busy and never free, and its ghost is withdrawn', async () => {
    const world = new World();
    const { locks, network } = world.process();
    network.fate = (call) => (call === 'attempt' ? 'reply lost' : 'answered');
    const failure = await locks.tryAcquire('a').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LockBackendError);
    expect(failure).toMatchObject({ code: 'LOCK_BACKEND', key: 'a', cause: new Error('connection reset') });
    await settled();
    expect(await world.line('a')).toBe(0);
  });

  it('a wait that ends while the backend cannot be asked is LockBackendError with its cause', async () => {
    const world = new World();
    const { locks, network } = world.process();
    network.fate = () => 'not sent';
    const waiting = outcome(locks.acquire('a', { waitMs: 500 }));
    await world.clock.pass(499);
    expect(waiting.state).toBe('pending');
    await world.clock.pass(1);
    expect(waiting.error).toBeInstanceOf(LockBackendError);
    expect(waiting.error).toMatchObject({ cause: new Error('connection refused') });
  });

  it('a backend that is silent for a lease, and for 5 s at least, fails everybody who waits for its answer, however long they would wait', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    network.fate = () => 'not sent';
    const waiting = [1, 2, 3].map(() => outcome(locks.acquire('a', { waitMs: Infinity })));
    await world.clock.pass(4_900);
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
    await world.clock.pass(1_500);
    for (const { error } of waiting) expect(error).toBeInstanceOf(LockBackendError);
    expect(new Set(waiting.map(({ error }) => error)).size).toBe(3);
  });

  it('an attempt that is never answered ends too, and is withdrawn', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    network.fate = (call) => (call === 'attempt' ? 'hangs' : 'answered');
    const waiting = outcome(locks.tryAcquire('a'));
    await world.clock.pass(LEASE);
    expect(waiting.error).toBeInstanceOf(LockBackendError);
    expect(await world.line('a')).toBe(0);
  });

  it('an answer that comes when the lease is over is not believed: it is asked again', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    let answer: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (answer = resolve));
    network.fate = () => (network.calls.length === 1 ? late : 'answered');
    const waiting = outcome(locks.acquire('a'));
    await settled();
    world.clock.stall(LEASE - 5);
    answer();
    await world.clock.pass(100);
    expect(waiting.value?.held).toBe(true);
    expect(network.count('attempt')).toBe(2);
    expect(waiting.value?.remainingMs).toBeGreaterThan(LEASE / 2);
  });

  it('a LockError of the backend is final: it is not asked again', async () => {
    const world = new World();
    const { locks, network } = world.process();
    network.fate = () => {
      throw new LockConfigError('the password is wrong');
    };
    await expect(locks.acquire('a')).rejects.toThrow(LockConfigError);
    expect(network.count('attempt')).toBe(1);
  });
});

describe('a waiter that a backend has asked to come back later than a lease', () => {
  it('goes on waiting when that one question fails', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process({ waitMs: 60_000 })] as const;
    const claim = two.network.claim.bind(two.network);
    two.network.claim = (request) => {
      const behind = claim(request);
      return {
        ...behind,
        attempt: async (options) => {
          const standing = await behind.attempt(options);
          return standing.held ? standing : { ...standing, askAgainMs: 12_000 };
        },
      };
    };
    two.network.wakes = false;
    const first = await one.locks.acquire('a');
    const second = outcome(two.locks.acquire('a'));
    await settled();
    two.network.fate = () => (two.network.count('attempt') === 2 ? 'not sent' : 'answered');
    await world.clock.pass(12_001);
    expect([two.network.count('attempt') >= 2, second.state]).toEqual([true, 'pending']);
    await first.release();
    await world.clock.pass(13_000);
    expect(second.value?.held).toBe(true);
  });
});
