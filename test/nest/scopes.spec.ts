import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, type INestApplication, Module, Scope } from '@nestjs/common';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import { LockConfigError, Locked, LockModule, LockReentrancyError, LockService } from 'nestjs-locked';
import { aMoment, errorOf, line, nobody, Room, start } from './apps.js';

const ROOM = 'ROOM';

abstract class Visitor {
  @Inject(ROOM) protected readonly room!: Room;

  @Locked('room')
  async visit(): Promise<string | undefined> {
    await this.room.stay();
    return LockService.current()?.key;
  }
}

@Injectable()
class Singleton extends Visitor {}

@Injectable({ scope: Scope.REQUEST })
class OfRequest extends Visitor {}

@Injectable({ scope: Scope.TRANSIENT })
class Transient extends Visitor {}

@Injectable()
class Overriding extends Visitor {
  @Locked('outer')
  override async visit(): Promise<string | undefined> {
    return super.visit();
  }
}

@Injectable()
class OverridingWithItsKey extends Visitor {
  @Locked('room')
  override async visit(): Promise<string | undefined> {
    return super.visit();
  }
}

@Injectable()
class OverridingUndecorated extends Visitor {
  override async visit(): Promise<string | undefined> {
    return super.visit();
  }
}

@Injectable()
class WithOwnProperty extends Visitor {
  @Inject(ROOM) readonly other!: Room;

  @Locked((id: string) => `other:${id}`)
  async visitOther(_id: string): Promise<string | undefined> {
    await this.other.stay();
    return LockService.current()?.key;
  }
}

@Injectable()
class Creator {
  constructor(@Inject(ModuleRef) private readonly module: ModuleRef) {}

  create(): Promise<Singleton> {
    return this.module.create(Singleton);
  }
}

const providers = [
  Creator,
  Singleton,
  OfRequest,
  Transient,
  Overriding,
  OverridingWithItsKey,
  OverridingUndecorated,
  WithOwnProperty,
];

function appWith(room: Room): Promise<INestApplication> {
  return start({ imports: [LockModule.forRoot()], providers: [...providers, { provide: ROOM, useValue: room }] });
}

/** Two at once: one is inside, the other waits; let go, both have been in, one by one. */
async function expectOneByOne(
  app: INestApplication,
  room: Room,
  visits: (() => Promise<unknown>)[],
): Promise<unknown[]> {
  const visiting = Promise.all(visits.map((visit) => visit()));
  await aMoment();
  expect(await line(app.get(LockService), 'room')).toEqual({ holders: 1, waiters: visits.length - 1 });
  expect(room.inside).toBe(1);
  room.open();
  const results = await visiting;
  expect([room.visits, room.most]).toEqual([visits.length, 1]);
  expect(await line(app.get(LockService), 'room')).toEqual(nobody);
  return results;
}

describe('@Locked in every scope', () => {
  it('a singleton, and its current lock', async () => {
    const room = new Room();
    const app = await appWith(room);
    const visitor = app.get(Singleton);
    const results = await expectOneByOne(app, room, [() => visitor.visit(), () => visitor.visit()]);
    expect(results).toEqual(['room', 'room']);
    expect(LockService.current()).toBeUndefined();
  });

  it('one instance for each request', async () => {
    const room = new Room();
    const app = await appWith(room);
    const [a, b] = await Promise.all([
      app.resolve(OfRequest, ContextIdFactory.create()),
      app.resolve(OfRequest, ContextIdFactory.create()),
    ]);
    expect(a).not.toBe(b);
    await expectOneByOne(app, room, [() => a.visit(), () => b.visit()]);
  });

  it('one instance for each that it is injected into', async () => {
    const room = new Room();
    const app = await appWith(room);
    const [a, b] = await Promise.all([app.resolve(Transient), app.resolve(Transient)]);
    expect(a).not.toBe(b);
    await expectOneByOne(app, room, [() => a.visit(), () => b.visit()]);
  });

  it('an instance that ModuleRef creates', async () => {
    const room = new Room();
    const app = await appWith(room);
    const created = await app.get(Creator).create();
    await expectOneByOne(app, room, [() => created.visit(), () => app.get(Singleton).visit()]);
  });

  it('a method that is inherited, and one beside it, with properties of its own', async () => {
    const room = new Room();
    const app = await appWith(room);
    const visitor = app.get(WithOwnProperty);
    const others = [visitor.visitOther('a'), visitor.visitOther('b')];
    await aMoment();
    expect(room.inside).toBe(2);
    room.open();
    expect(await Promise.all([visitor.visit(), ...others])).toEqual(['room', 'other:a', 'other:b']);
  });

  it('an override that calls super holds both locks; one without @Locked, that of super', async () => {
    const room = new Room();
    const app = await appWith(room);
    const [overriding, undecorated] = [app.get(Overriding), app.get(OverridingUndecorated)];
    const visiting = [overriding.visit(), overriding.visit(), undecorated.visit()];
    await aMoment();
    expect(await line(app.get(LockService), 'outer')).toEqual({ holders: 1, waiters: 1 });
    expect(await line(app.get(LockService), 'room')).toEqual({ holders: 1, waiters: 1 });
    room.open();
    expect(await Promise.all(visiting)).toEqual(['room', 'room', 'room']);
    expect(room.most).toBe(1);
  });

  it('an override with the same key is told that it would wait for itself', async () => {
    const app = await appWith(new Room());
    expect(await errorOf(app.get(OverridingWithItsKey).visit())).toBeInstanceOf(LockReentrancyError);
  });

  it('two @Locked on one method hold both, the upper one first', async () => {
    const seen: string[] = [];
    @Injectable()
    class Twice {
      constructor(@Inject(LockService) private readonly locks: LockService) {}

      @Locked(() => (seen.push('upper'), 'upper'), { mode: 'shared' })
      @Locked(() => (seen.push('lower'), 'lower'))
      async both(): Promise<number[]> {
        const reports = [await this.locks.inspect('upper'), await this.locks.inspect('lower')];
        return reports.map(({ holders }) => holders.length);
      }
    }
    const app = await start({ imports: [LockModule.forRoot()], providers: [Twice] });
    expect(await app.get(Twice).both()).toEqual([1, 1]);
    expect(seen).toEqual(['upper', 'lower']);
  });
});

describe('two applications in one process', () => {
  it('do not see each other, and one outlives the other', async () => {
    const room = new Room();
    const [one, other] = [await appWith(room), await appWith(room)];
    const visiting = [one.get(Singleton).visit(), other.get(Singleton).visit()];
    await aMoment();
    expect(room.inside).toBe(2);
    expect(await line(one.get(LockService), 'room')).toEqual({ holders: 1, waiters: 0 });
    expect(await line(other.get(LockService), 'room')).toEqual({ holders: 1, waiters: 0 });
    room.open();
    await Promise.all(visiting);
    await one.close();
    expect(await other.get(Singleton).visit()).toBe('room');
  });
});

describe('an instance without a lock service', () => {
  let ran = 0;
  let asked = 0;

  @Injectable()
  class Orders {
    @Locked((id: string) => {
      asked += 1;
      return id;
    })
    async ship(id: string): Promise<string> {
      ran += 1;
      return id;
    }
  }

  @Module({ providers: [Orders], exports: [Orders] })
  class OrdersModule {}

  async function expectRefusal(orders: Orders): Promise<void> {
    const error = await errorOf(orders.ship('1'));
    expect(error).toBeInstanceOf(LockConfigError);
    const { message } = error as Error;
    for (const part of ['Orders.ship', 'LockModule.forRoot()', 'useFactory', 'new']) expect(message).toContain(part);
    expect([asked, ran]).toEqual([0, 0]);
  }

  it('made by new: rejects, names the method and both causes, and asks and runs nothing', async () => {
    await expectRefusal(new Orders());
  });

  it('made by a useFactory that is called too late for the start-up to see it: the same', async () => {
    const late = { provide: Orders, useFactory: () => new Orders(), scope: Scope.REQUEST };
    const app = await start({ imports: [LockModule.forRoot()], providers: [late] });
    await expectRefusal(await app.resolve(Orders));
  });

  it('in an application without LockModule: the same', async () => {
    const app = await start({ imports: [OrdersModule] });
    await expectRefusal(app.get(Orders));
  });

  it('a method torn off its instance: the same', async () => {
    const app = await start({ imports: [LockModule.forRoot(), OrdersModule] });
    const { ship } = app.get(Orders);
    await expectRefusal({ ship } as unknown as Orders);
    expect(await errorOf(ship.call(undefined as unknown as Orders, '1'))).toBeInstanceOf(LockConfigError);
  });
});
