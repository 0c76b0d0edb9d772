import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Clock, isLockError, LockManager } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { type Network, outcome, type Process, World } from './world.js';

const LEASE = 1_000;

/** Keeps wakes back until told to deliver them. */
function delayWakes(network: Network): () => void {
  const delayed: (() => void)[] = [];
  const claim = network.claim.bind(network);
  network.claim = (request) => {
    const behind = claim(request);
    return { ...behind, watch: (wake) => behind.watch!((standing) => delayed.push(() => wake(standing))) };
  };
  return () => delayed.splice(0).forEach((deliver) => deliver());
}

describe('a wake that says "held"', () => {
  it('is believed for a lease from the last ask that was answered, not from a later one that failed', async () => {
    const world = new World();
    const [one, two, three] = [0, 1, 2].map(() => world.process({ leaseMs: LEASE })) as [Process, Process, Process];
    const first = await one.locks.acquire('a');
    const second = outcome(two.locks.acquire('a', { waitMs: Infinity }));
    await settled();
    // Commands are cut off from here on, wakes still come.
    two.network.fate = () => 'not sent';
    await world.clock.pass(LEASE / 2 + 1);
    expect(two.network.count('attempt')).toBeGreaterThan(1);
    await first.release();
    await settled();
    expect(second.value?.held).toBe(true);
    const third = outcome(three.locks.acquire('a', { waitMs: Infinity }));
    for (let elapsed = 0; third.state === 'pending' && elapsed < 2 * LEASE; elapsed += 1) {
      expect(second.value?.held && third.value?.held).toBeFalsy();
      await world.clock.pass(1);
    }
    expect(second.value?.held).toBe(false);
    expect(third.value?.held).toBe(true);
  });

  it('is not believed when it is about an earlier stay in line', async () => {
    const world = new World();
    const [one, two, three] = [
      world.process({ leaseMs: LEASE }),
      world.process({ leaseMs: LEASE }),
      world.process({ leaseMs: 10 * LEASE }),
    ];
    const deliverWakes = delayWakes(two.network);
    const first = await one.locks.acquire('a');
    const second = outcome(two.locks.acquire('a', { waitMs: Infinity }));
    await settled();
    const third = outcome(three.locks.acquire('a', { waitMs: Infinity }));
    await settled();
    // The second is in, and its wake is on its way. It stalls for a lease, so the third is in.
    await first.release();
    world.clock.stall(LEASE + 1);
    await three.locks.inspect('a');
    await settled();
    expect(third.value?.held).toBe(true);
    // The second asks again, joins at the back, and only now hears that it is in.
    await world.clock.pass(1);
    expect(two.network.count('attempt')).toBe(2);
    deliverWakes();
    await settled();
    expect(second.state).toBe('pending');
    expect(third.value?.held).toBe(true);
  });
});

describe('what a clock can tell', () => {
  it('a sleep too short to be told from drift is taken off the lease: with a slow clock, too, nobody else is in by then', async () => {
    const world = new World();
    const leaseMs = 10_000;
    const marginMs = 102;
    let sleptMs = 0;
    const slow: Clock = {
      now: () => 0.99 * (world.clock.now() - sleptMs),
      wall: () => 0.99 * world.clock.wall(),
      alarm: (delayMs, ring) => world.clock.alarm(delayMs, ring),
    };
    const sleeper = new LockManager({ backend: world.memory, leaseMs }, { clock: slow });
    const { locks } = world.process({ leaseMs });
    const lock = await sleeper.acquire('a');
    sleptMs = marginMs - 2;
    world.clock.stall(leaseMs - 1);
    expect(await locks.tryAcquire('a')).toBeNull();
    world.clock.stall(2);
    expect(await locks.tryAcquire('a')).not.toBeNull();
    expect(lock.held).toBe(false);
  });

  it.each([{ keys: ['a'] }, { keys: ['a', 'b'] }])(
    'a wall clock that jumped while the key was waited for costs a question and no lock ($keys)',
    async ({ keys }) => {
      const world = new World();
      const [one, two] = [world.process(), world.process()];
      const first = await one.locks.acquire(keys.at(-1)!);
      const running = outcome(two.locks.run(keys, () => 'ran'));
      const waiting = outcome(two.locks.acquire(keys));
      await world.clock.pass(100);
      world.clock.sleep(500);
      await first.release();
      await world.clock.pass(100);
      expect(running.value).toBe('ran');
      expect(waiting.value?.held).toBe(true);
    },
  );

  it('a try does not take a stalled holder of its own process for one who holds', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    world.clock.stall(5 * LEASE);
    const tried = await locks.tryAcquire('a');
    expect(tried?.held).toBe(true);
    expect(lock.held).toBe(false);
    expect(network.count('attempt')).toBe(2);
  });
});

describe('renewals that fail', () => {
  it('late, after a later one succeeded, cost nothing', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    let fail: () => void = () => undefined;
    const late = new Promise<void>((_, reject) => (fail = () => reject(new Error('late'))));
    network.fate = (call) => (call === 'renew' && network.count('renew') === 1 ? late : 'answered');
    await world.clock.pass(0.8 * LEASE);
    expect(network.count('renew')).toBeGreaterThan(1);
    fail();
    await world.clock.pass(10 * LEASE);
    expect(lock.held).toBe(true);
    expect(lock.signal.aborted).toBe(false);
  });

  it('leave a claim that is not handed over: the next caller gets a whole lease of its own', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    const first = await locks.acquire('a');
    const second = outcome(locks.acquire('a'));
    await settled();
    network.fate = (call) => (call === 'renew' ? 'not sent' : 'answered');
    await world.clock.pass(0.98 * LEASE);
    expect(first.held).toBe(true);
    await first.release();
    await settled();
    expect(second.value!.remainingMs).toBeGreaterThan(0.9 * LEASE);
    expect(network.count('attempt')).toBe(2);
  });
});

describe('a lease that ends between two statements', () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  beforeAll(() => void process.on('unhandledRejection', hear));
  afterAll(() => void process.off('unhandledRejection', hear));

  it.each(Array.from({ length: 25 }, (_, reading) => ({ reading })))(
    'at reading $reading of the clock after the answer: the lock is lost, or not had, and nothing else',
    async ({ reading }) => {
      const world = new World();
      let readings = Infinity;
      const clock: Clock = {
        now: () => {
          if ((readings -= 1) === 0) world.clock.stall(LEASE + 1);
          return world.clock.now();
        },
        wall: () => world.clock.wall(),
        alarm: (delayMs, ring) => world.clock.alarm(delayMs, ring),
      };
      const claim = world.memory.claim.bind(world.memory);
      world.memory.claim = (request) => {
        const behind = claim(request);
        const attempt: typeof behind.attempt = (options) => {
          const standing = behind.attempt(options);
          readings = reading + 1;
          return standing;
        };
        return { ...behind, attempt };
      };
      const locks = new LockManager({ backend: world.memory, leaseMs: LEASE, waitMs: 0 }, { clock });
      const ran = await locks
        .run('a', { minHoldMs: LEASE / 2 }, async (lock) => lock.held)
        .catch((error: unknown) => error);
      await world.clock.pass(3 * LEASE);
      expect(ran === true || isLockError(ran)).toBe(true);
      expect(unheard).toEqual([]);
      await locks.close();
    },
  );

  it('is lost to whoever tries the key when no timer has told, and its line stays that of the manager', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: 1_000 });
    await locks.acquire('a');
    world.clock.stall(1_000);
    const lock = await locks.tryAcquire('a');
    expect(lock?.held).toBe(true);
    await locks.close();
    expect(lock?.held).toBe(false);
  });

  it('and its line stays that of the manager even if whoever hears of the loss joins at once, and fails', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: 1_000 });
    const lost = await locks.acquire('a');
    const claim = network.claim.bind(network);
    const failed: unknown[] = [];
    lost.signal.addEventListener('abort', () => {
      network.claim = () => {
        network.claim = claim;
        throw new Error('no claim');
      };
      locks.acquire('a').catch((error: unknown) => failed.push(error));
    });
    world.clock.stall(1_000);
    const lock = await locks.tryAcquire('a');
    expect([lock?.held, failed.length]).toEqual([true, 1]);
    await locks.close();
    expect(lock?.held).toBe(false);
  });
});
