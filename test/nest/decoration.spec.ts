import { describe, expect, it } from '@jest/globals';
import { Injectable, SetMetadata } from '@nestjs/common';
import { LockConfigError, Locked, lockedMetadata, LockModule, LockService } from 'nestjs-locked';
import { aMoment, errorOf, start } from './apps.js';

class Dto {}

/** As the compiler calls a decorator: with what it would pass, and the return type that it wrote down. */
function decorate(descriptor: PropertyDescriptor | undefined, returnType?: unknown, target: object = {}): unknown {
  class Orders {}
  const prototype = typeof target === 'function' ? Orders : Orders.prototype;
  if (returnType !== undefined) Reflect.defineMetadata('design:returntype', returnType, prototype, 'ship');
  try {
    (Locked('key') as MethodDecorator)(prototype, 'ship', descriptor!);
  } catch (error) {
    return error;
  }
  return undefined;
}

const method = { value: () => undefined, writable: true, configurable: true, enumerable: false };

describe('what cannot be @Locked is refused when the class is defined, by name', () => {
  it.each<[string, PropertyDescriptor | undefined, unknown, object]>([
    ['a getter', { get: () => undefined, configurable: true }, Promise, {}],
    ['a setter', { set: () => undefined, configurable: true }, undefined, {}],
    ['a field, as tsc has it', undefined, undefined, {}],
    ['a field, as swc has it', { configurable: true, writable: true, value: undefined }, undefined, {}],
    ['a value that is no function', { ...method, value: 1 }, undefined, {}],
    ['a static method', method, Promise, () => undefined],
    ['a generator', { ...method, value: function* () {} }, undefined, {}],
    ...[String, Number, Boolean, Symbol, Array, Date, Map, Set, Buffer, Function, Dto].map(
      (type): [string, PropertyDescriptor, unknown, object] => [`a method that returns ${type.name}`, method, type, {}],
    ),
  ])('%s', (_what, descriptor, returnType, target) => {
    const error = decorate(descriptor, returnType, target);
    expect(error).toBeInstanceOf(LockConfigError);
    expect((error as Error).message).toContain('Orders.ship');
  });

  it.each([undefined, Object, Promise])('but not a method whose declared return type is %p', (returnType) => {
    expect(decorate({ ...method }, returnType)).toBeUndefined();
  });

  it('a standard decorator', () => {
    const decorator = Locked('key') as unknown as (value: unknown, context: unknown) => void;
    const apply = (): void => decorator(() => undefined, { kind: 'method', name: 'ship' });
    expect(apply).toThrow(LockConfigError);
    expect(apply).toThrow(/ship.*experimentalDecorators/);
  });
});

describe('a key that is computed', () => {
  const seen: unknown[] = [];
  let ran = 0;

  @Injectable()
  class Orders {
    readonly shop = 'main-street';

    @Locked(function (this: Orders, ...args: unknown[]) {
      seen.push([this.shop, ...args]);
      return args[0] as string;
    })
    async ship(key: unknown, _more?: unknown): Promise<unknown> {
      ran += 1;
      return key;
    }

    @Locked((from: string, to: string) => [to, from, to])
    async move(_from: string, _to: string): Promise<readonly string[] | undefined> {
      return LockService.current()?.keys;
    }

    @Locked((order: { id: string }) => order.id)
    async missing(_order: { id: string }): Promise<void> {
      ran += 1;
    }
  }

  async function orders(): Promise<Orders> {
    seen.length = 0;
    ran = 0;
    return (await start({ imports: [LockModule.forRoot()], providers: [Orders] })).get(Orders);
  }

  it('is computed once, of the arguments and the instance', async () => {
    const service = await orders();
    await Promise.all([service.ship('k', 1), service.ship('k', 2)]);
    expect(seen).toEqual([
      ['main-street', 'k', 1],
      ['main-street', 'k', 2],
    ]);
    expect(ran).toBe(2);
  });

  it('may be several, sorted and each once', async () => {
    expect(await (await orders()).move('b', 'a')).toEqual(['a', 'b']);
  });

  it.each([[undefined], [null], [''], [1], [[]], [['a', null]], [{}], [Promise.resolve('a')], ['\udfff']])(
    'rejects %p as a key, with the name of the method, and runs nothing',
    async (key) => {
      const error = await errorOf((await orders()).ship(key));
      expect(error).toBeInstanceOf(LockConfigError);
      expect((error as Error).message).toContain('Orders.ship');
      expect(ran).toBe(0);
    },
  );

  it.each([['__proto__'], ['constructor'], ['a\0b'], ['🔒'], ['..'], ['{}'], ['a\nb'], ['*']])(
    'takes the hostile %p',
    async (key) => {
      expect(await (await orders()).ship(key)).toBe(key);
    },
  );

  it('that throws rejects with its own error, and runs nothing', async () => {
    const service = await orders();
    let rejected: Promise<void> | undefined;
    expect(() => (rejected = service.missing(undefined as never))).not.toThrow();
    expect(await errorOf(rejected!)).toBeInstanceOf(TypeError);
    expect(ran).toBe(0);
  });
});

describe('the wrapper', () => {
  it('keeps name, length and metadata, and says what it locks', () => {
    const key = (a: string): string => a;
    class Orders {
      @SetMetadata('above', 1)
      @Locked(key, { waitMs: 5 })
      @Locked('inner', { service: 'other' })
      @SetMetadata('below', 2)
      async ship(a: string, _b: number): Promise<string> {
        return a;
      }
    }
    const { ship } = Orders.prototype;
    expect([ship.name, ship.length]).toEqual(['ship', 2]);
    expect([Reflect.getMetadata('above', ship), Reflect.getMetadata('below', ship)]).toEqual([1, 2]);
    expect(lockedMetadata(ship)).toEqual([
      { key: 'inner', options: { service: 'other' }, service: 'other' },
      { key, options: { waitMs: 5 }, service: 'default' },
    ]);
    expect(lockedMetadata(() => undefined)).toEqual([]);
    expect(Object.getOwnPropertyDescriptor(Orders.prototype, 'ship')?.enumerable).toBe(false);
  });

  it('keeps methods with symbols for names', async () => {
    const symbol = Symbol('ship');
    @Injectable()
    class Orders {
      @Locked('key')
      async [symbol](): Promise<string | undefined> {
        return LockService.current()?.key;
      }
    }
    const app = await start({ imports: [LockModule.forRoot()], providers: [Orders] });
    expect(await app.get(Orders)[symbol]()).toBe('key');
  });

  it('turns what the method throws at once into a rejection, untouched', async () => {
    const thrown = new Error('mine');
    @Injectable()
    class Orders {
      @Locked('key')
      ship(): Promise<void> {
        throw thrown;
      }
    }
    const app = await start({ imports: [LockModule.forRoot()], providers: [Orders] });
    let rejected: Promise<void> | undefined;
    expect(() => (rejected = app.get(Orders).ship())).not.toThrow();
    expect(await errorOf(rejected!)).toBe(thrown);
    await aMoment();
    expect((await app.get(LockService).inspect('key')).holders).toEqual([]);
  });
});
