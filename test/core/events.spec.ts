import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { type LockEvent, LockManager, type LockTrace } from '../../lib/core/index.js';
import { type OwnedLock } from '../../lib/core/lock.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { World } from './world.js';

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('an event', () => {
  it('says whose it is, of which key and claim, from where, for how long, and with which token', async () => {
    const world = new World();
    const { locks, events } = world.process({ name: 'orders' });
    const lock = await locks.acquire('a', { site: 'Orders.ship' });
    const second = locks.acquire('a', { site: 'Orders.cancel' });
    await world.clock.pass(40);
    await lock.release();
    const successor = await second;
    await settled();
    const [{ claim } = { claim: '' }] = (await locks.inspect('a')).holders;
    const common = { service: 'orders', backend: 'memory', key: 'a' };
    const shipped = { ...common, site: 'Orders.ship' };
    const cancelled = { ...common, site: 'Orders.cancel' };
    expect(events).toEqual([
      { ...shipped, type: 'acquired', claim, fencingToken: lock.fencingToken, waitedMs: 0 },
      { ...cancelled, type: 'queued', ahead: 1 },
      { ...shipped, type: 'released', claim, fencingToken: lock.fencingToken, heldMs: 40 },
      { ...cancelled, type: 'handed-over', claim, fencingToken: successor.fencingToken, waitedMs: 40 },
    ]);
    await successor.release();
  });

  it('tells of a lock that is lost what it was and how long it was held', async () => {
    const world = new World();
    const { locks, events } = world.process({ leaseMs: 300 });
    const { fencingToken } = await locks.acquire('a', { site: 'Orders.ship' });
    await world.clock.pass(30);
    await world.vanish('a');
    await world.clock.pass(100);
    await settled();
    expect(events.filter(({ type }) => type === 'lost')).toMatchObject([
      { site: 'Orders.ship', fencingToken, heldMs: 100, reason: 'claim-gone' },
    ]);
  });

  it('tells once of a lock whose lease ends in the midst of its release', async () => {
    const world = new World();
    const { locks, events } = world.process({ leaseMs: 300 });
    const lock = (await locks.acquire('a')) as OwnedLock;
    const second = locks.acquire('a');
    await settled();
    lock.onEnd(() => world.clock.stall(1_000));
    expect(await lock.release()).toBe(false);
    await settled();
    expect(events.filter(({ type }) => type === 'lost')).toMatchObject([{ reason: 'lease-ended' }]);
    await world.clock.pass(1_000);
    await (await second).release();
  });
});

describe('the channel nestjs-locked of node:diagnostics_channel', () => {
  it('has the events of all managers, in no context of theirs, and only while somebody listens', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: [LockEvent['service'], LockEvent['type'], string | undefined][] = [];
    const listener = (message: unknown): void => {
      const { service, type } = message as LockEvent;
      seen.push([service, type, context.getStore()]);
    };
    const managers = ['one', 'two'].map((name) => new LockManager({ backend: new MemoryBackend(), name }));
    subscribe('nestjs-locked', listener);
    for (const locks of managers) await context.run('a request', () => locks.run('a', () => undefined));
    await settled();
    unsubscribe('nestjs-locked', listener);
    await managers[0]!.run('a', () => undefined);
    await settled();
    expect(seen).toEqual([
      ['one', 'acquired', undefined],
      ['one', 'released', undefined],
      ['two', 'acquired', undefined],
      ['two', 'released', undefined],
    ]);
    expect(channel('nestjs-locked').hasSubscribers).toBe(false);
    await Promise.all(managers.map((locks) => locks.close()));
  });
});

describe('the tracing channels', () => {
  it('bind a store to what a body does under the lock that was acquired, and not to the acquiring', async () => {
    const spans = new AsyncLocalStorage<string>();
    const hold = tracingChannel<string, LockTrace>('nestjs-locked:hold');
    const acquire = tracingChannel<string, LockTrace>('nestjs-locked:acquire');
    const ended: unknown[] = [];
    const parents: (string | undefined)[] = [];
    const locksOf: unknown[] = [];
    const asyncEnd = ({ keys, site, service, lock, result }: LockTrace): void => {
      ended.push({ keys, site, service, result });
      locksOf.push(lock);
    };
    const had = ({ result }: LockTrace): void => void locksOf.push(result);
    const start = (): void => void parents.push(spans.getStore());
    const nothing = (): void => undefined;
    const all = { start: nothing, end: nothing, asyncStart: nothing, asyncEnd: nothing, error: nothing };
    const onHold = { ...all, asyncEnd };
    const onAcquire = { ...all, start, asyncEnd: had };
    hold.start.bindStore(spans, ({ site }) => `span of ${site}`);
    hold.subscribe(onHold);
    acquire.subscribe(onAcquire);
    const { locks } = new World().process();
    try {
      const inside = await locks.run('a', { site: 'Orders.ship' }, async () => spans.getStore());
      expect(inside).toBe('span of Orders.ship');
      await settled();
    } finally {
      hold.start.unbindStore(spans);
      hold.unsubscribe(onHold);
      acquire.unsubscribe(onAcquire);
    }
    expect(parents).toEqual([undefined]);
    expect(ended).toEqual([{ keys: ['a'], site: 'Orders.ship', service: 'default', result: 'span of Orders.ship' }]);
    expect(locksOf[0]).toBeDefined();
    expect(locksOf[1]).toBe(locksOf[0]);
    expect(spans.getStore()).toBeUndefined();
  });
});
