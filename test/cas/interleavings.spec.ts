import { describe, expect, it } from '@jest/globals';
import { CasBackend, MemoryStore } from '../../lib/cas/index.js';
import { type Claim, LockManager, type Standing } from '../../lib/core/index.js';
import { settled, VirtualClock } from '../core/virtual-clock.js';
import { outcome } from '../core/world.js';
import { GatedStore } from './gated.store.js';

const LEASE = 1_000;

/** Processes on one store, each behind gates of its own. */
class World {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();

  process(driftRatio = 0.01): { gate: GatedStore; backend: CasBackend; claim: (id: string, key?: string) => Claim } {
    const gate = new GatedStore(this.store);
    const random = { id: () => 'unused', fraction: () => 0.5 };
    const backend = new CasBackend({ store: gate, driftRatio }, { clock: this.clock, random });
    const claim = (id: string, key = 'a'): Claim => backend.claim({ key, id, slots: 1, leaseMs: LEASE });
    return { gate, backend, claim };
  }

  async line(): Promise<string[]> {
    const places = await new CasBackend({ store: this.store }, { clock: this.clock }).inspect('a');
    return places.map(({ id }) => id);
  }
}

function gateThatOpens(): { opens: Promise<void>; open: () => void } {
  let open!: () => void;
  const opens = new Promise<void>((resolve) => (open = resolve));
  return { opens, open };
}

const queue = { queue: true };

describe('a machine that slept while it waited', () => {
  it('comes in with a whole lease, or not at all, whatever others have seen of its beat', async () => {
    const store = new MemoryStore();
    const process = (): { clock: VirtualClock; locks: LockManager } => {
      const clock = new VirtualClock();
      const backend = new CasBackend({ store }, { clock });
      return { clock, locks: new LockManager({ backend, leaseMs: 10_000, waitMs: 100_000 }, { clock }) };
    };
    const [sleeper, observer, holder] = [process(), process(), process()];
    const pass = async (ms: number, ...processes: readonly { clock: VirtualClock }[]): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 50) for (const { clock } of processes) await clock.pass(50);
    };
    const first = await holder.locks.acquire('k');
    const waiting = outcome(sleeper.locks.acquire('k'));
    await pass(200, sleeper, observer, holder);
    expect(await observer.locks.tryAcquire('k')).toBeNull();

    sleeper.clock.sleep(30_000);
    const released = first.release();
    await holder.clock.pass(1);
    await released;
    await pass(30_000, observer, holder);
    await settled();
    await sleeper.clock.pass(5);

    const tried = outcome(observer.locks.tryAcquire('k'));
    await observer.clock.pass(5);
    const both = [waiting.value, tried.value].filter((lock) => lock?.held);
    expect(both).toHaveLength(1);
  });
});

describe('two claims', () => {
  it('do not both hold when one looks dead in a reply that its renewal has overtaken', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const holder = one.claim('holder');
    const waiter = two.claim('waiter');
    await holder.attempt(queue);
    await waiter.attempt(queue);
    await world.clock.pass(LEASE * 0.5);
    await waiter.attempt(queue);

    await world.clock.pass(LEASE * 0.48);
    const reply = gateThatOpens();
    two.gate.next('read', { answeredAfter: reply.opens });
    // It is not yet time for a beat of the waiter, so that it reads.
    await waiter.renew();
    const asked = waiter.attempt(queue);
    await settled();
    expect(await holder.renew()).toBe(true);
    await world.clock.pass(LEASE * 0.04);
    reply.open();
    expect((await asked).held).toBe(false);
  });

  it('of one process do not wait for each other when a call of one hangs', async () => {
    const world = new World();
    const { gate, claim } = world.process();
    const [holder, waiter] = [claim('holder'), claim('waiter')];
    await holder.attempt(queue);
    gate.next('write', { doneAfter: new Promise(() => undefined) });
    void waiter.attempt(queue);
    await settled();
    expect(await holder.renew()).toBe(true);
    expect(await holder.withdraw()).toBe(true);
    expect(await world.line()).toEqual([]);
  });
});

describe('a lease', () => {
  it('begins with a beat for whoever is told that it is in, and again when it asks again', async () => {
    const world = new World();
    const [one, two] = [world.process(0.05), world.process(0.05)];
    const holder = one.claim('holder');
    const waiter = two.claim('waiter');
    await holder.attempt(queue);
    await waiter.attempt(queue);
    await world.clock.pass(250);
    await holder.withdraw();
    for (let ask = 0; ask < 3; ask += 1) {
      const writes = two.gate.count('write');
      expect(await waiter.attempt(queue)).toMatchObject({ held: true, leaseMs: LEASE * 0.95 });
      expect(two.gate.count('write')).toBe(writes + 1);
      await world.clock.pass(250);
    }
  });

  it('ends for those who watch it, however many other lines they see', async () => {
    const world = new World();
    const { claim } = world.process();
    await world.process().claim('dead').attempt(queue);
    const waiter = claim('waiter');
    const unwatch = waiter.watch!(() => undefined);
    await waiter.attempt(queue);
    const busy = world.process();
    for (let key = 0; key < 11_000; key += 1) await busy.claim('other', `key ${key}`).attempt(queue);
    let standing: Standing = { held: false, ahead: 1, askAgainMs: 1 };
    for (let part = 0; part < 8 && !standing.held; part += 1) {
      await world.clock.pass(LEASE / 4);
      for (let key = 0; key < 11_000; key += 1) await claim('another', `key ${key}`).attempt({ queue: false });
      standing = await waiter.attempt(queue);
    }
    expect(standing.held).toBe(true);
    unwatch();
  });
});

describe('a claim that was withdrawn leaves nothing behind', () => {
  it('when the write that joins an existing line is still to come', async () => {
    const world = new World();
    await world.process().claim('holder').attempt(queue);
    const { gate, claim, backend } = world.process();
    await backend.inspect('a');
    const late = gateThatOpens();
    gate.next('write', { doneAfter: late.opens, notKnown: true });
    const given = claim('given up');
    await expect(given.attempt(queue)).rejects.toThrow('nobody knows');
    expect(await given.withdraw()).toBe(false);
    late.open();
    await settled();
    expect(await world.line()).toEqual(['holder']);
  });

  it('when the write that begins a line is still to come: it says that it does not know, and looks again', async () => {
    const world = new World();
    const { gate, claim } = world.process();
    const late = gateThatOpens();
    gate.next('write', { doneAfter: late.opens, notKnown: true });
    const given = claim('given up');
    await expect(given.attempt(queue)).rejects.toThrow('nobody knows');
    await expect(given.withdraw()).rejects.toThrow('may still arrive');
    late.open();
    await settled();
    expect(await world.line()).toEqual(['given up']);
    expect(await given.withdraw()).toBe(true);
    expect(await world.line()).toEqual([]);
  });

  it('when several writes are still to come, the first of them for a line that was not there', async () => {
    const world = new World();
    const { gate, claim } = world.process();
    const late = gateThatOpens();
    const given = claim('given up');
    gate.next('write', { doneAfter: late.opens, notKnown: true });
    await expect(given.attempt(queue)).rejects.toThrow('nobody knows');
    const other = world.process().claim('other');
    await other.attempt(queue);
    gate.next('write', {});
    gate.next('write', { doneAfter: late.opens, notKnown: true });
    await expect(given.attempt(queue)).rejects.toThrow('nobody knows');
    await other.withdraw();
    await expect(given.withdraw()).rejects.toThrow('may still arrive');
    late.open();
    await settled();
    await given.withdraw();
    expect(await world.line()).toEqual([]);
  });

  it('when it was refused, and an earlier write is still to come', async () => {
    const world = new World();
    await world.process().claim('holder').attempt(queue);
    const { gate, claim, backend } = world.process();
    await backend.inspect('a');
    const late = gateThatOpens();
    gate.next('write', { doneAfter: late.opens, notKnown: true });
    const refused = claim('refused');
    await expect(refused.attempt(queue)).rejects.toThrow('nobody knows');
    expect((await refused.attempt({ queue: false })).held).toBe(false);
    late.open();
    await settled();
    expect(await world.line()).toEqual(['holder']);
  });

  it('when an attempt that met a conflict is still under way', async () => {
    const world = new World();
    await world.process().claim('holder').attempt(queue);
    const { gate, claim } = world.process();
    const late = gateThatOpens();
    gate.next('write', { answeredAfter: late.opens });
    const given = claim('given up');
    const asked = outcome(Promise.resolve(given.attempt(queue)));
    await settled();
    const withdrawn = given.withdraw();
    late.open();
    await withdrawn;
    expect(asked.state).toBe('rejected');
    expect(await world.line()).toEqual(['holder']);
  });

  it('when somebody looked at the line before it was there, and hears of it only now', async () => {
    const world = new World();
    const { gate, claim, backend } = world.process();
    const late = gateThatOpens();
    gate.next('read', { answeredAfter: late.opens });
    const inspected = backend.inspect('a');
    const holder = claim('holder');
    await holder.attempt(queue);
    late.open();
    expect(await inspected).toEqual([]);
    expect(await holder.renew()).toBe(true);
    expect(await holder.withdraw()).toBe(true);
    expect(await world.line()).toEqual([]);
  });
});

describe('a renewal whose answer comes after that of a later one', () => {
  it('does not make the lease look older than it is', async () => {
    const world = new World();
    const { gate, claim } = world.process();
    const holder = claim('holder');
    await holder.attempt(queue);
    const late = gateThatOpens();
    gate.next('write', { answeredAfter: late.opens });
    const waitedForInVain = holder.renew();
    await world.clock.pass(600);
    expect(await holder.renew()).toBe(true);
    late.open();
    expect(await waitedForInVain).toBe(true);

    await world.clock.pass(600);
    expect(await holder.renew()).toBe(true);
  });
});

describe('what a lock costs', () => {
  it('is two writes where nobody else wants it, and two writes and a read more where somebody does', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const first = one.claim('first');
    await first.attempt(queue);
    await first.withdraw();
    expect(one.gate.calls).toEqual(['write', 'write']);

    await Promise.allSettled([first.attempt(queue)]);
    const holder = one.claim('holder');
    await holder.attempt(queue);
    const waiter = two.claim('waiter');
    await waiter.attempt(queue);
    await holder.withdraw();
    await waiter.attempt(queue);
    await waiter.withdraw();
    // The first one is for nothing: it did not know of the line.
    expect(two.gate.calls).toEqual(['write', 'write', 'read', 'write', 'write']);
  });
});
