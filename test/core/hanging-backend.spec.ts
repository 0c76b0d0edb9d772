import { describe, expect, it } from '@jest/globals';
import {
  type Claim,
  LockBackendError,
  LockConfigError,
  LockManager,
  LockUnavailableError,
} from '../../lib/core/index.js';
import { type ClaimRequest, type Standing } from '../../lib/core/backend.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { settled } from './virtual-clock.js';
import { type Network, outcome, World } from './world.js';

const LEASE = 1_000;
/** How long any call is waited for. */
const PATIENCE = 5_000;

/** Claims of this backend are not what they should be. */
function spoil(network: Network, spoiled: (claim: Claim, request: ClaimRequest) => Claim): void {
  const claim = network.claim.bind(network);
  network.claim = (request) => spoiled(claim(request), request);
}

function connectionIsClosed(): never {
  throw new Error('connection is closed');
}

describe('a backend that hangs', () => {
  it('is waited for 5 s at most, however long the lease and however short the wait', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: 600_000 });
    network.fate = () => 'hangs';
    const asked = [outcome(locks.acquire('a', { waitMs: 100 })), outcome(locks.tryAcquire('b'))];
    await world.clock.pass(PATIENCE - 1);
    expect(asked.map(({ state }) => state)).toEqual(['pending', 'pending']);
    await world.clock.pass(1);
    for (const { error } of asked) expect(error).toBeInstanceOf(LockBackendError);
  });

  it('keeps a caller that waits in memory behind the ask no longer than its own wait', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: 60_000 });
    network.fate = () => 'hangs';
    const front = outcome(locks.acquire('a', { waitMs: 100 }));
    const behind = outcome(locks.acquire('a', { waitMs: 200 }));
    await world.clock.pass(200);
    expect(behind.error).toBeInstanceOf(LockBackendError);
    expect(front.state).toBe('pending');
    await world.clock.pass(PATIENCE);
    expect(front.error).toBeInstanceOf(LockBackendError);
  });

  it('at a renewal does not keep a released claim in line', async () => {
    const world = new World();
    const [one, two] = [world.process({ leaseMs: 600_000 }), world.process()];
    const lock = await one.locks.acquire('a');
    one.network.fate = (call) => (call === 'renew' ? 'hangs' : 'answered');
    await world.clock.pass(200_001);
    expect(one.network.count('renew')).toBe(1);
    void lock.release();
    const next = outcome(two.locks.acquire('a', { waitMs: Infinity }));
    await world.clock.pass(PATIENCE);
    expect(next.value?.held).toBe(true);
  });

  it('at an ask does not keep an aborted claim in line', async () => {
    const world = new World();
    const [one, two] = [world.process({ leaseMs: 600_000 }), world.process()];
    one.network.fate = (call) => (call === 'attempt' ? 'hangs' : 'answered');
    const abort = new AbortController();
    const aborted = outcome(one.locks.acquire('a', { signal: abort.signal }));
    await settled();
    abort.abort('no');
    await settled();
    expect(aborted.error).toBe('no');
    const next = outcome(two.locks.acquire('a', { waitMs: Infinity }));
    await world.clock.pass(PATIENCE);
    expect(next.value?.held).toBe(true);
  });

  it('at the last renewal and at the release keeps the result of the body for 5 s each', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: 60_000 });
    const body = async (): Promise<string> => {
      network.fate = () => 'hangs';
      await world.after(21_000);
      return 'value';
    };
    const running = outcome(locks.run('a', body));
    await world.clock.pass(21_000 + 2 * PATIENCE - 1);
    expect(running.state).toBe('pending');
    await world.clock.pass(1);
    expect(running.value).toBe('value');
  });
});

describe('a backend that cannot be asked', () => {
  it('is what those are told who wait in memory behind the ask, not contention', async () => {
    const world = new World();
    const { locks, network } = world.process();
    network.fate = () => 'not sent';
    const front = outcome(locks.acquire('a', { waitMs: 1_000 }));
    const behind = outcome(locks.acquire('a', { waitMs: 500 }));
    await world.clock.pass(500);
    expect(behind.error).toBeInstanceOf(LockBackendError);
    expect(front.state).toBe('pending');
  });

  it('is what each of two tries is told that are made at the same time', async () => {
    const { locks, network } = new World().process();
    network.fate = () => 'not sent';
    const tries = [outcome(locks.tryAcquire('a')), outcome(locks.tryAcquire('a'))];
    await settled();
    for (const { error } of tries) expect(error).toBeInstanceOf(LockBackendError);
  });

  it('for longer than whoever wants a short lease is kept waiting is asked on for whoever wants a longer one', async () => {
    const world = new World();
    const { locks, network } = world.process();
    network.fate = () => 'not sent';
    const short = outcome(locks.acquire('a', { leaseMs: 100, waitMs: Infinity }));
    const long = outcome(locks.acquire('a', { leaseMs: 60_000, waitMs: Infinity }));
    await world.clock.pass(2 * PATIENCE);
    expect(short.error).toBeInstanceOf(LockBackendError);
    network.fate = () => 'answered';
    await world.clock.pass(1_000);
    expect(long.value?.held).toBe(true);
  });

  it('for one lease, for good, can be asked for another', async () => {
    const { locks, network } = new World().process();
    spoil(network, (claim, { leaseMs }) => {
      if (leaseMs < 1_000_000) return claim;
      return { ...claim, attempt: () => Promise.reject(new LockConfigError('too long a lease for this server')) };
    });
    const refused = outcome(locks.acquire('a', { leaseMs: 2_000_000 }));
    const other = outcome(locks.acquire('a'));
    await settled();
    expect(refused.error).toBeInstanceOf(LockConfigError);
    expect(other.value?.held).toBe(true);
  });
});

describe('a backend that throws', () => {
  it('when a claim is opened leaves no waiter behind that would take the key', async () => {
    const world = new World();
    const { locks, network } = world.process();
    const { claim } = network;
    network.claim = connectionIsClosed;
    await expect(locks.acquire('a')).rejects.toBeInstanceOf(LockBackendError);
    network.claim = claim;
    await expect(locks.acquire('a')).resolves.toMatchObject({ held: true });
  });

  it.each([
    { why: 'it has been handed over often enough', localHandOffs: 1, leases: [LEASE, LEASE, LEASE] },
    { why: 'they want other leases', localHandOffs: 16, leases: [LEASE, 2 * LEASE, LEASE] },
  ])('when the next claim is opened, because $why, fails nobody before', async ({ localHandOffs, leases }) => {
    const world = new World();
    const { locks, network } = world.process({ localHandOffs });
    const own = new Error('mine');
    const body = async (): Promise<never> => {
      await world.after(10);
      throw own;
    };
    const running = leases.map((leaseMs) => outcome(locks.run('a', { leaseMs, waitMs: LEASE }, body)));
    await settled();
    network.claim = connectionIsClosed;
    await world.clock.pass(LEASE);
    const errors = running.map(({ error }) => error);
    expect(errors.slice(0, 2)).toEqual([own, own]);
    expect(errors[2]).toBeInstanceOf(LockBackendError);
  });

  it('when it is no longer watched does not hide a loss', async () => {
    const world = new World();
    const { locks, network } = world.process();
    spoil(network, (claim) => ({ ...claim, watch: () => connectionIsClosed }));
    const lock = await locks.acquire('a', { maxHoldMs: 100 });
    await world.clock.pass(100);
    expect(lock.signal.reason).toMatchObject({ reason: 'max-hold' });
    expect(await world.line('a')).toBe(0);
  });
});

describe('a backend that lies', () => {
  const held = { held: true, place: 1n, leaseMs: LEASE, waiting: 0 };
  const waiting = { held: false, ahead: 1, askAgainMs: 100 };
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['a lease that is missing', { ...held, leaseMs: undefined }],
    ['a lease that is no number', { ...held, leaseMs: NaN }],
    ['an endless lease', { ...held, leaseMs: Infinity }],
    ['a lease that is over', { ...held, leaseMs: 0 }],
    ['a place that is no bigint', { ...held, place: 1 }],
    ['a pause that is missing', { ...waiting, askAgainMs: undefined }],
    ['a pause that is no number', { ...waiting, askAgainMs: NaN }],
    ['an endless pause', { ...waiting, askAgainMs: Infinity }],
    ['no pause at all', { ...waiting, askAgainMs: 0 }],
    ['a line that is no number', { ...waiting, ahead: NaN }],
  ])('and answers %s is one that could not be asked, and disturbs no other lock', async (_what, answer) => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    const other = await locks.acquire('b', { maxHoldMs: 500 });
    spoil(network, (claim) => ({ ...claim, attempt: () => Promise.resolve(answer as Standing) }));
    const got = outcome(locks.acquire('a', { waitMs: 100 }));
    await world.clock.pass(100);
    expect(got.error).toBeInstanceOf(LockBackendError);
    await world.clock.pass(399);
    expect(other.held).toBe(true);
    await world.clock.pass(1);
    expect(other.held).toBe(false);
  });

  it('and rings for nothing at every answer does not keep the event loop busy', async () => {
    const memory = new MemoryBackend();
    let asked = 0;
    const claim = (request: ClaimRequest): Claim => {
      const behind = memory.claim(request);
      let ring: () => void = () => undefined;
      return {
        ...behind,
        attempt: async (options) => {
          if ((asked += 1) > 10_000) throw new Error('asked for ever');
          const standing = await behind.attempt(options);
          ring();
          return standing;
        },
        watch: (wake) => {
          ring = wake;
          return () => undefined;
        },
      };
    };
    const one = new LockManager({ backend: memory });
    const ringing = Object.assign(Object.create(memory) as MemoryBackend, { name: 'ringing', claim });
    const two = new LockManager({ backend: ringing });
    await one.acquire('a');
    await expect(two.acquire('a', { waitMs: 50 })).rejects.toBeInstanceOf(LockUnavailableError);
    expect(asked).toBeLessThan(100);
    await Promise.all([one.close(), two.close()]);
  });
});
