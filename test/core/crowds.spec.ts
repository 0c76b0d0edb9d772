import { describe, expect, it } from '@jest/globals';
import { MemoryBackend } from '../../lib/memory/index.js';
import { VirtualClock } from './virtual-clock.js';
import { outcome, World } from './world.js';

describe('a crowd', () => {
  it('of readers of one process is let in at once, not one round trip after the other', async () => {
    const world = new World();
    const { locks, network } = world.process();
    network.fate = () => world.after(5);
    const readers = Array.from({ length: 100 }, () => outcome(locks.acquire('a', { mode: 'shared' })));
    await world.clock.pass(10);
    expect(readers.filter(({ state }) => state === 'fulfilled')).toHaveLength(100);
  });

  it('of 130,000 claims in one line of the memory backend has room for one more', async () => {
    const memory = new MemoryBackend({ clock: new VirtualClock() });
    const { lines } = memory as unknown as { lines: Map<string, Map<string, object>> };
    const standee = { request: { key: 'a', leaseMs: 1_000 }, slots: 1, place: 1n, since: 0, leaseEndsAt: 10_000 };
    lines.set('a', new Map(Array.from({ length: 130_000 }, (_, index) => [`${index}`, standee])));
    const claim = memory.claim({ key: 'a', id: 'one more', slots: 1, leaseMs: 1_000 });
    expect(await claim.attempt({ queue: true })).toMatchObject({ held: false, ahead: 130_000 });
  });
});
