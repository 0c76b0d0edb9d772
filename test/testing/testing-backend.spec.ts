import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { type Lock, Locked, LockLostError, LockManager, LockModule, LockService } from 'nestjs-locked';
import { TestingBackend } from 'nestjs-locked/testing';
import { errorOf, Room, start, until } from '../nest/apps.js';

const room = { current: new Room() };
let locks: Lock[] = [];

@Injectable()
class Orders {
  @Locked((id: string) => `order:${id}`, { waitMs: 0 })
  async ship(_id: string): Promise<string> {
    locks.push(LockService.current()!);
    await room.current.stay();
    return 'shipped';
  }

  @Locked('stock', { mode: 'shared', waitMs: 0 })
  async count(): Promise<number> {
    return 1;
  }
}

async function application({ leaseMs = 60_000 } = {}): Promise<{
  orders: Orders;
  service: LockService;
  backend: TestingBackend;
}> {
  room.current = new Room();
  locks = [];
  const backend = new TestingBackend();
  const app = await start({ imports: [LockModule.forRoot({ backend, leaseMs })], providers: [Orders] });
  return { orders: app.get(Orders), service: app.get(LockService), backend };
}

describe('one backend for the applications of several tests', () => {
  it('goes on when one of them closes, and whoever was made to hold a key holds it no longer', async () => {
    const backend = new TestingBackend();
    const first = new LockManager({ backend });
    await backend.busy('a');
    await first.close();
    const second = new LockManager({ backend });
    await (await second.acquire('a', { waitMs: 0 })).release();
    const busy = await backend.busy('a');
    expect(await second.tryAcquire('a')).toBeNull();
    await busy.release();
    await second.close();
  });

  it('has a key lost by two calls at once', async () => {
    const backend = new TestingBackend();
    const manager = new LockManager({ backend });
    const lock = await manager.acquire('a');
    await Promise.allSettled([backend.lose('a'), backend.lose('a')]);
    expect(lock.signal.aborted).toBe(true);
    await manager.close();
  });
});

describe('a test of an application', () => {
  it('makes a key busy, and free again', async () => {
    const { orders, service, backend } = await application();
    room.current.open();
    const busy = await backend.busy('order:1');
    expect(await errorOf(orders.ship('1'))).toMatchObject({ code: 'LOCK_UNAVAILABLE', key: 'order:1' });
    expect(await orders.ship('2')).toBe('shipped');
    expect((await service.inspect('order:1')).holders).toHaveLength(1);
    await busy.release();
    expect(await orders.ship('1')).toBe('shipped');
  });

  it('makes a key busy in a mode, also while the application waits for it or holds it by another', async () => {
    const { orders, backend } = await application();
    const reader = await backend.busy('stock', { mode: 'shared' });
    expect(await orders.count()).toBe(1);
    await reader.release();
    await using _ = await backend.busy('stock');
    expect(await errorOf(orders.count())).toMatchObject({ code: 'LOCK_UNAVAILABLE' });
    expect(await errorOf(backend.busy('stock'))).toMatchObject({ message: expect.stringContaining('"stock" is held') });
  });

  it('loses a lock: the holder knows at once, long before it would renew, and the next is in', async () => {
    const { orders, service, backend } = await application();
    const shipping = errorOf(orders.ship('1'));
    await until(() => room.current.inside === 1);
    const next = service.acquire('order:1');
    await backend.lose('order:1');
    expect(locks[0]!.signal.reason).toBeInstanceOf(LockLostError);
    expect(locks[0]!.signal.reason).toMatchObject({ reason: 'claim-gone' });
    expect((await next).fencingToken).toBeGreaterThan(locks[0]!.fencingToken);
    room.current.open();
    expect(await shipping).toBe(locks[0]!.signal.reason);
  });

  it('lets a lease run out: the holder does not know before it renews, and another is in with a larger token', async () => {
    const { orders, backend } = await application({ leaseMs: 600 });
    const shipping = errorOf(orders.ship('1'));
    await until(() => room.current.inside === 1);
    await backend.expire('order:1');
    const other = await backend.busy('order:1');
    expect([locks[0]!.held, other.held]).toEqual([true, true]);
    expect(other.fencingToken).toBeGreaterThan(locks[0]!.fencingToken);
    await until(() => !locks[0]!.held);
    expect(locks[0]!.signal.reason).toMatchObject({ reason: 'claim-gone' });
    room.current.open();
    expect(await shipping).toBeInstanceOf(LockLostError);
    expect(other.held).toBe(true);
  });

  it('looks at what is held, and finds nothing once all is over', async () => {
    const { orders, backend } = await application();
    const shipping = [orders.ship('2'), orders.ship('1')];
    await until(() => room.current.inside === 2);
    expect(await backend.heldKeys()).toEqual(['order:1', 'order:2']);
    expect(await backend.inspect('order:1')).toMatchObject([{ held: true, slots: 1 }]);
    room.current.open();
    await Promise.all(shipping);
    expect(await backend.heldKeys()).toEqual([]);
  });

  it('that is wrong about who holds a key is told', async () => {
    const { orders, backend } = await application();
    expect(await errorOf(backend.lose('order:1'))).toMatchObject({
      message: expect.stringContaining('held are: no keys'),
    });
    const shipping = orders.ship('1');
    await until(() => room.current.inside === 1);
    for (const wrong of [backend.lose('order'), backend.expire('order')]) {
      expect(await errorOf(wrong)).toMatchObject({
        message: 'nobody in the application holds "order"; held are: "order:1"',
      });
    }
    await using _ = await backend.busy('mine');
    expect(await errorOf(backend.lose('mine'))).toMatchObject({ message: expect.stringContaining('nobody') });
    room.current.open();
    await shipping;
  });
});
