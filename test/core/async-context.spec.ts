import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { type Clock, LockManager } from '../../lib/core/index.js';
import { settled, type VirtualClock } from './virtual-clock.js';
import { World } from './world.js';

/** Alarms ring in the async context of whoever set them, as timers of Node do. */
function asNode(clock: VirtualClock): Clock {
  return {
    now: () => clock.now(),
    wall: () => clock.wall(),
    alarm: (delayMs, ring) => clock.alarm(delayMs, AsyncResource.bind(ring)),
  };
}

describe('the one alarm that all callers of a manager share', () => {
  it('does not carry the lock of one call chain into another', async () => {
    const world = new World();
    const locks = new LockManager({ backend: world.memory }, { clock: asNode(world.clock) });
    let inside = 0;
    let most = 0;
    const work = async (ms: number): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await world.after(ms);
      inside -= 1;
    };
    // Sets the alarm, under the lock of a.
    const one = locks.run('a', async () => {
      await locks.run('x', { maxHoldMs: 30 }, () => undefined);
      await work(300);
    });
    await settled();
    // Hears of its loss when the alarm rings, and wants a, which it does not hold.
    const b = await locks.acquire('b', { maxHoldMs: 60 });
    let two: Promise<void> | undefined;
    b.signal.addEventListener('abort', () => (two = locks.run('a', { reentrant: true }, () => work(10))));
    await world.clock.pass(400);
    await one;
    await two!;
    expect(most).toBe(1);
  });

  it('does not carry the request of one caller into what is told and asked for another', async () => {
    const requests = new AsyncLocalStorage<string>();
    const world = new World();
    const { network } = world.process();
    const locks = new LockManager({ backend: network, leaseMs: 1_000 }, { clock: asNode(world.clock) });
    const seen: [string, string | undefined][] = [];
    network.fate = (call) => {
      if (call === 'renew') seen.push(['asked', requests.getStore()]);
      return 'answered';
    };
    requests.run('of the listener', () => {
      locks.subscribe(({ type }) => void (type === 'renewed' && seen.push(['told', requests.getStore()])));
    });
    await requests.run('one', async () => (await locks.acquire('x')).release());
    await requests.run('two', async () => locks.acquire('a'));
    await world.clock.pass(500);
    expect(seen).toEqual([
      ['asked', undefined],
      ['told', 'of the listener'],
    ]);
  });
});
