import { describe, expect, it } from '@jest/globals';
import { LockLostError, LockManager } from '../../lib/core/index.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { settled } from './virtual-clock.js';
import { World } from './world.js';

const LEASE = 1_000;
/** 1 % and 2 ms. */
const MARGIN = 12;

describe('a held lock', () => {
  it('is renewed at a third of its lease for as long as it is held, and not after', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    await world.clock.pass(10 * LEASE);
    expect(lock.held).toBe(true);
    expect(network.count('renew')).toBeGreaterThanOrEqual(30);
    expect(network.count('renew')).toBeLessThanOrEqual(40);
    await lock.release();
    const renewals = network.count('renew');
    await world.clock.pass(10 * LEASE);
    expect(network.count('renew')).toBe(renewals);
  });

  it('counts its lease from before the call was sent, less the margin', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    network.fate = (call) => (call === 'renew' ? 'hangs' : 'answered');
    const lock = await locks.acquire('a');
    expect(lock.remainingMs).toBe(LEASE - MARGIN);
    await world.clock.pass(LEASE - MARGIN - 1);
    expect(lock.held).toBe(true);
    await world.clock.pass(1);
    expect(lock.held).toBe(false);
  });

  it('is lost at its deadline by a timer, even while a renewal hangs, and sooner than the backend lets the next one in', async () => {
    const world = new World();
    const { locks, network, events } = world.process({ leaseMs: LEASE });
    const other = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    const { signal } = lock;
    network.fate = () => 'hangs';
    const next = other.locks.acquire('a').then((got) => {
      expect(signal.aborted).toBe(true);
      return got;
    });
    await world.clock.pass(LEASE);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBeInstanceOf(LockLostError);
    expect(signal.reason).toMatchObject({ code: 'LOCK_LOST', key: 'a', reason: 'lease-ended' });
    await world.clock.pass(LEASE);
    expect((await next).fencingToken).toBeGreaterThan(lock.fencingToken);
    expect(events.filter(({ type }) => type === 'lost')).toHaveLength(1);
  });

  it('survives renewals that fail for a while, asking again quickly', async () => {
    const world = new World();
    const { locks, network, events } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    let failures = 3;
    network.fate = (call) => (call === 'renew' && (failures -= 1) >= 0 ? 'not sent' : 'answered');
    await world.clock.pass(5 * LEASE);
    expect(lock.held).toBe(true);
    expect(events.filter(({ type }) => type === 'renewal-failed')).toHaveLength(3);
  });

  it('is lost at once when the backend no longer has its claim', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    await world.vanish('a');
    await world.clock.pass(LEASE / 2);
    expect(lock.held).toBe(false);
    expect(lock.signal.reason).toMatchObject({ reason: 'claim-gone' });
  });

  it('a stall longer than the lease: read as lost before any timer, and not revived by a renewal that was under way', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    const { signal } = lock;
    let confirm: () => void = () => undefined;
    const reply = new Promise<void>((resolve) => (confirm = resolve));
    network.fate = (call) => (call === 'renew' ? reply : 'answered');
    await world.clock.pass(LEASE / 2);
    expect(network.count('renew')).toBe(1);
    world.clock.stall(LEASE * 0.7);
    expect(lock.held).toBe(false);
    expect(signal.aborted).toBe(true);
    expect(lock.remainingMs).toBe(0);
    expect(() => lock.assertHeld()).toThrow(LockLostError);
    confirm();
    await world.clock.pass(LEASE / 4);
    expect(lock.held).toBe(false);
    expect(await world.line('a')).toBe(0);
    expect(await lock.release()).toBe(false);
  });

  it('a real event loop that is busy for longer than the lease: lost before any timer has run', async () => {
    const locks = new LockManager({ backend: new MemoryBackend(), leaseMs: LEASE });
    const lock = await locks.acquire('a');
    const { signal } = lock;
    const busyUntil = performance.now() + 1.5 * LEASE;
    while (performance.now() < busyUntil);
    expect(lock.held).toBe(false);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBeInstanceOf(LockLostError);
    await new Promise((resolve) => setTimeout(resolve, LEASE / 2));
    expect(lock.held).toBe(false);
    await locks.close();
  });

  it('a machine that slept: not believed in until a renewal has told, which here tells that it is gone', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    world.clock.sleep(3 * LEASE);
    await world.vanish('a');
    expect(lock.held).toBe(false);
    expect(() => lock.assertHeld()).toThrow(/slept/);
    expect(lock.signal.aborted).toBe(false);
    await settled();
    expect(lock.signal.reason).toMatchObject({ reason: 'claim-gone' });
  });

  it.each([3_600_000, -3_600_000])('a wall clock that jumps alone by %i ms loses nothing', async (jump) => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a');
    world.clock.sleep(jump);
    expect(lock.held).toBe(false);
    await settled();
    expect(lock.held).toBe(true);
    expect(network.count('renew')).toBe(1);
    await world.clock.pass(5 * LEASE);
    expect(lock.held).toBe(true);
    expect(lock.signal.aborted).toBe(false);
  });

  it('a process that is stopped after it read one clock and before the other: it is not in doubt', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: 10_000 });
    const lock = await locks.acquire('a');
    const { clock } = world;
    const wall = clock.wall.bind(clock);
    clock.wall = () => {
      clock.wall = wall;
      clock.stall(200);
      return wall();
    };
    expect(lock.held).toBe(true);
    expect(network.count('renew')).toBe(0);
    await lock.release();
  });

  it('ends like a loss after maxHoldMs, and lets the next one in', async () => {
    const world = new World();
    const { locks } = world.process({ leaseMs: LEASE });
    const lock = await locks.acquire('a', { maxHoldMs: 5_500 });
    await world.clock.pass(5_499);
    expect(lock.held).toBe(true);
    await world.clock.pass(1);
    expect(lock.signal.reason).toMatchObject({ reason: 'max-hold' });
    expect(await world.line('a')).toBe(0);
  });

  it('releases once, however often and however concurrently it is asked to', async () => {
    const world = new World();
    const { locks, network } = world.process();
    const lock = await locks.acquire('a');
    expect(await Promise.all([lock.release(), lock.release(), lock[Symbol.asyncDispose]()])).toEqual([
      true,
      true,
      undefined,
    ]);
    const next = await locks.acquire('a');
    expect(await lock.release()).toBe(true);
    expect(next.held).toBe(true);
    expect(network.count('withdraw')).toBe(1);
    expect(lock.signal.aborted).toBe(false);
    expect(() => lock.assertHeld()).toThrow(/released/);
  });

  it('a release that fails is an event, resolves, and is tried again until it is certain', async () => {
    const world = new World();
    const { locks, network, events } = world.process();
    const lock = await locks.acquire('a');
    let failures = 2;
    network.fate = (call) => (call === 'withdraw' && (failures -= 1) >= 0 ? 'not sent' : 'answered');
    expect(await lock.release()).toBe(false);
    expect(await world.line('a')).toBe(1);
    await world.clock.pass(1_000);
    expect(await world.line('a')).toBe(0);
    expect(events.filter(({ type }) => type === 'release-failed')).toHaveLength(2);
    expect(network.count('withdraw')).toBe(3);
  });

  it('a renewal that is under way when it is released ends before the claim leaves', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: LEASE });
    network.fate = (call) => (call === 'renew' ? world.after(50) : 'answered');
    const lock = await locks.acquire('a');
    await world.clock.pass(LEASE / 3);
    void lock.release();
    await world.clock.pass(49);
    expect(network.calls).toEqual(['attempt', 'renew']);
    await world.clock.pass(LEASE);
    expect(network.calls).toEqual(['attempt', 'renew', 'withdraw']);
    expect(await world.line('a')).toBe(0);
  });
});
