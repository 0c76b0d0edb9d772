// Compiled by `npm run typecheck`, never run: an @ts-expect-error that is not needed is an error.
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { EMPTY, type Observable, of } from 'rxjs';
import { type Busy, Locked, LockInterceptor, LockModule } from 'nestjs-locked';

interface Order {
  readonly id: string;
  readonly lines: readonly string[];
}

const Once = (name: string): MethodDecorator => applyDecorators(Locked(name), SetMetadata('once', name));

export class Orders {
  private readonly shop = 'main-street';

  @Locked('fixed')
  async fixed(): Promise<void> {}

  @Locked(['a', 'b'] as const)
  async several(): Promise<void> {}

  @Locked((order: Order) => order.id)
  async sameParameters(order: Order): Promise<string> {
    return order.id;
  }

  @Locked((order: { readonly id: string }) => [order.id])
  async widerParameter(order: Order): Promise<string> {
    return order.id;
  }

  @Locked((order: Order) => order.id)
  async fewerParameters(order: Order, force: boolean): Promise<boolean> {
    return force && order.id !== '';
  }

  @Locked<Orders['inferred']>((order, force) => `${order.id}:${force ? order.lines.length : 0}`)
  async inferred(order: Order, force: boolean): Promise<boolean> {
    return force && order.id !== '';
  }

  @Locked(function (this: Orders, id: string) {
    return `${this.shop}:${id}`;
  })
  async instance(id: string): Promise<string> {
    return id;
  }

  @Locked((id: string) => id)
  protected async hidden(id: string): Promise<string> {
    return id;
  }

  @Locked('observable')
  observable(): Observable<number> {
    return of(1);
  }

  @Locked('generator')
  async *generator(): AsyncGenerator<number> {
    yield 1;
  }

  @Locked('iterable')
  async *iterable(): AsyncIterable<number> {
    yield 1;
  }

  @Locked('any')
  unknownToTheCompiler(): ReturnType<typeof JSON.parse> {
    return JSON.parse('{}');
  }

  @Locked('skipped', { onBusy: 'skip' })
  async skipped(): Promise<number | undefined> {
    return 1;
  }

  @Locked('skipped', { onBusy: 'skip', minHoldMs: 30_000 })
  async skippedWithoutResult(): Promise<void> {}

  @Locked('skipped', { onBusy: 'skip' })
  async *skippedGenerator(): AsyncGenerator<number> {
    yield 1;
  }

  @Locked('answered', { onBusy: ({ keys, error }) => keys.length + error.ahead })
  async answered(): Promise<number> {
    return 1;
  }

  @Locked('answered', { onBusy: () => EMPTY })
  answeredByObservable(): Observable<number> {
    return of(1);
  }

  @Once('applied')
  async applied(): Promise<void> {}

  // @ts-expect-error: the parameter of the key is not that of the method
  @Locked((order: Order) => order.id)
  async otherParameter(id: string): Promise<string> {
    return id;
  }

  // @ts-expect-error: the key wants more than the method is given
  @Locked((order: Order, force: boolean) => `${order.id}${force}`)
  async tooManyParameters(order: Order): Promise<string> {
    return order.id;
  }

  // @ts-expect-error: `id` may be missing, and the key wants it
  @Locked((id: string) => id)
  async optional(id?: string): Promise<string | undefined> {
    return id;
  }

  // @ts-expect-error: the arguments of a key without types are not known
  @Locked((order) => order.id)
  async untyped(order: Order): Promise<string> {
    return order.id;
  }

  // @ts-expect-error: another class
  @Locked(function (this: Date) {
    return this.toISOString();
  })
  async otherInstance(): Promise<void> {}

  // @ts-expect-error: a key is text
  @Locked((id: number) => id)
  async keyOfNumber(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error: a key cannot be waited for
  @Locked(async (id: string) => id)
  async keyOfPromise(id: string): Promise<string> {
    return id;
  }

  // @ts-expect-error: it cannot wait for a lock
  @Locked('sync')
  sync(): number {
    return 1;
  }

  // @ts-expect-error: it cannot wait for a lock
  @Locked('sync')
  nothing(): void {}

  // @ts-expect-error: it may not be able to wait for a lock
  @Locked('sync')
  sometimes(): number | Promise<number> {
    return 1;
  }

  // @ts-expect-error: not a method
  @Locked('getter')
  get getter(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error: not a method
  @Locked('field')
  field = async (): Promise<number> => 1;

  // @ts-expect-error: skipped, it would result in undefined
  @Locked('skipped', { onBusy: 'skip' })
  async skippedWithResult(): Promise<number> {
    return 1;
  }

  // @ts-expect-error: skipped, it would result in undefined
  @Locked<Orders['inferredSkip']>((id) => id, { onBusy: 'skip' })
  async inferredSkip(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error: not what the method results in
  @Locked('answered', { onBusy: (busy: Busy) => busy.key })
  async answeredOtherwise(): Promise<number> {
    return 1;
  }

  // @ts-expect-error: the same, with parameters that are inferred
  @Locked('answered', { onBusy: ({ key }) => key })
  async answeredAndInferred(): Promise<number> {
    return 1;
  }

  // @ts-expect-error: an Observable that is skipped emits undefined
  @Locked('skipped', { onBusy: 'skip' })
  skippedObservable(): Observable<number> {
    return of(1);
  }

  // @ts-expect-error: the arguments of another method
  @Locked<Orders['inferred']>((order) => order.id)
  async inferredFromAnother(id: string): Promise<string> {
    return id;
  }

  // @ts-expect-error: no such option
  @Locked('typo', { waitms: 1 })
  async typo(): Promise<void> {}
}

LockInterceptor((context) => context.switchToHttp().getRequest<{ readonly id: string }>().id, { onBusy: 'skip' });
// @ts-expect-error: a key is text
LockInterceptor(() => 1);

LockModule.forRoot();
LockModule.forRoot({ name: 'reports', isGlobal: false, waitMs: 1_000 });
LockModule.forRootAsync({ name: 'reports', useFactory: async () => ({ leaseMs: 1_000 }) });
// @ts-expect-error: the name must be known before the factory has run
LockModule.forRootAsync({ useFactory: () => ({ name: 'reports' }) });
