import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Lock, type LockMode } from '../../lib/core/index.js';
import { settled } from './virtual-clock.js';
import { outcome, type Process, World } from './world.js';

/** Acquires for each name in turn, holds for 10 ms, and tells in which order they were served. */
async function servedInOrder(world: World, callers: [string, Process][]): Promise<string[]> {
  const served: string[] = [];
  for (const [name, { locks }] of callers) {
    void locks.run('a', { waitMs: Infinity }, async () => {
      served.push(name);
      await world.after(10);
    });
    await settled();
  }
  await world.clock.pass(10 * callers.length + 1_000);
  return served;
}

describe('local hand-off', () => {
  it('passes a claim on without asking the backend, up to localHandOffs times in a row', async () => {
    const world = new World();
    const process = world.process({ localHandOffs: 4 });
    const callers = Array.from({ length: 10 }, (_, index): [string, Process] => [`${index}`, process]);
    expect(await servedInOrder(world, callers)).toEqual(callers.map(([name]) => name));
    expect(process.network.count('attempt')).toBe(2);
    expect(process.network.count('withdraw')).toBe(2);
    expect(process.events.filter(({ type }) => type === 'handed-over')).toHaveLength(8);
  });

  it('then joins the back of the line, so that other processes get their turn', async () => {
    const world = new World();
    const [one, two] = [world.process({ localHandOffs: 1 }), world.process({ localHandOffs: 1 })];
    const order = await servedInOrder(world, [
      ['a1', one],
      ['a2', one],
      ['a3', one],
      ['a4', one],
      ['b1', two],
      ['b2', two],
    ]);
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'a3', 'a4']);
  });

  it('with localHandOffs: 0 all callers of all processes are served in order of arrival', async () => {
    const world = new World();
    const [one, two] = [world.process({ localHandOffs: 0 }), world.process({ localHandOffs: 0 })];
    const names = ['a1', 'a2', 'b1', 'a3', 'b2', 'b3', 'a4'];
    const callers = names.map((name): [string, Process] => [name, name.startsWith('a') ? one : two]);
    expect(await servedInOrder(world, callers)).toEqual(names);
    expect(one.network.calls.length + two.network.calls.length).toBe(2 * names.length);
  });

  it('only the front waiter of a process has a claim in the line', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const lock = await one.locks.acquire('a');
    const waiting = Array.from({ length: 50 }, () => outcome(two.locks.acquire('a')));
    await settled();
    expect(await world.line('a')).toBe(2);
    expect((await two.locks.inspect('a')).waiters).toMatchObject([{ callersBehind: 49 }]);
    await lock.release();
    await settled();
    expect(waiting.map(({ state }) => state === 'fulfilled').indexOf(false)).toBe(1);
  });

  it('a waiter that gives up leaves its place in line to the next one of its process', async () => {
    const world = new World();
    const [one, two, three] = [world.process(), world.process(), world.process()];
    const lock = await one.locks.acquire('a');
    const impatient = outcome(two.locks.acquire('a', { waitMs: 100 }));
    const patient = outcome(two.locks.acquire('a'));
    await settled();
    const later = outcome(three.locks.acquire('a'));
    await world.clock.pass(100);
    expect(impatient.state).toBe('rejected');
    await lock.release();
    await settled();
    expect(patient.state).toBe('fulfilled');
    expect(later.state).toBe('pending');
    expect(two.network.count('withdraw')).toBe(0);
  });

  it('does not pass an exclusive claim to a reader, nor one of a shorter lease to whoever asked for a longer one', async () => {
    const world = new World();
    const { locks, network } = world.process();
    const writer = await locks.acquire('a');
    const reader = outcome(locks.acquire('a', { mode: 'shared' }));
    await settled();
    const long = outcome(locks.acquire('a', { mode: 'shared', leaseMs: 60_000 }));
    await writer.release();
    await settled();
    expect(reader.value?.held).toBe(true);
    expect(long.value?.remainingMs).toBeGreaterThan(50_000);
    expect(network.count('attempt')).toBe(3);
  });

  it('does not pass on a claim that is lost', async () => {
    const world = new World();
    const { locks, network } = world.process({ leaseMs: 1_000 });
    const lock = await locks.acquire('a');
    const next = outcome(locks.acquire('a'));
    await settled();
    network.fate = (call) => (call === 'renew' ? 'hangs' : 'answered');
    await world.clock.pass(1_000);
    expect(lock.held).toBe(false);
    await world.clock.pass(1);
    expect(next.value?.held).toBe(true);
    expect(next.value!.fencingToken >> 10n).toBeGreaterThan(lock.fencingToken >> 10n);
  });

  it('whatever callers do, no mode is violated, all are served, and every token is larger than those before it', async () => {
    const mode = fc.constantFrom<LockMode>('exclusive', 'exclusive', 'shared', { limit: 2 });
    const caller = fc.record({ process: fc.nat(2), mode, holdMs: fc.nat(40), afterMs: fc.nat(20), givesUp: fc.nat(9) });
    const handOffs = fc.constantFrom(0, 1, 16);
    await fc.assert(
      fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 25 }), handOffs, async (callers, localHandOffs) => {
        const world = new World();
        const processes = [0, 1, 2].map(() => world.process({ localHandOffs }));
        const inside = new Map<Lock, number>();
        let last = 0n;
        const all: Promise<void>[] = [];
        for (const each of callers) {
          const { locks } = processes[each.process]!;
          const waitMs = each.givesUp === 0 ? 15 : Infinity;
          const slots = each.mode === 'exclusive' ? 1 : each.mode === 'shared' ? Infinity : 2;
          const body = async (lock: Lock): Promise<void> => {
            inside.set(lock, slots);
            expect(Math.min(...inside.values())).toBeGreaterThanOrEqual(inside.size);
            expect(lock.fencingToken).toBeGreaterThan(last);
            last = lock.fencingToken;
            await world.after(each.holdMs);
            inside.delete(lock);
          };
          const done = locks.run('a', { mode: each.mode, waitMs }, body);
          all.push(waitMs === Infinity ? done : done.catch(() => undefined));
          await world.clock.pass(each.afterMs);
        }
        await world.clock.pass(5_000);
        await Promise.all(all);
        expect(await world.line('a')).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
