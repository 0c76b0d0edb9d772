// Compiled by `npm run typecheck`, never run: an @ts-expect-error that is not needed is an error.
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { EMPTY, type Observable, of } from 'rxjs';
import { type Busy, Locked, LockInterceptor, LockModule, LockService } from 'nestjs-locked';

interface Order {
  readonly id: string;
  readonly lines: readonly string[];
}

const Once = (name: string): MethodDecorator => applyDecorators(Locked(name), SetMetadata('once', name));

export class Orders {
  private readonly shop = 'main-street';
  private readonly closing = new AbortController();

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

  @Locked('given up', { waitMs: Infinity, signal: (_id: string, signal: AbortSignal) => signal })
  async givenUpByArgument(_id: string, _signal: AbortSignal): Promise<void> {}

  @Locked('given up', { signal: AbortSignal.timeout(1_000) })
  async givenUpByTime(): Promise<void> {}

  @Locked('given up', {
    signal(this: Orders) {
      return this.closing.signal;
    },
  })
  async givenUpByInstance(): Promise<void> {}

  @Locked<Orders['inferredSignal']>((id) => id, { signal: (_id, signal) => signal })
  async inferredSignal(_id: string, _signal?: AbortSignal): Promise<void> {}

  @Locked('every option', {
    mode: { limit: 2 },
    waitMs: 1_000,
    leaseMs: 1_000,
    minHoldMs: 1_000,
    maxHoldMs: 1_000,
    onLost: 'ignore',
    reentrant: true,
    service: 'reports',
    onBusy: 'throw',
  })
  async everyOption(): Promise<void> {}

  @Locked('shared', { mode: 'shared', onBusy: 'skip' })
  async skippedAndNull(): Promise<number | null | undefined> {
    return null;
  }

  @Locked('answered', { onBusy: async () => 1 })
  async answeredLater(): Promise<number> {
    return 1;
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

  // @ts-expect-error: typed for a method that results in something else, which a skipped call may
  @Locked<(id: number) => Promise<void>>((id) => String(id), { onBusy: 'skip' })
  async staleSkip(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error: typed for a method that results in something else
  @Locked<(id: string) => Promise<string>>((id) => id, { onBusy: () => 'x' })
  async staleAnswer(_id: string): Promise<number> {
    return 1;
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

  // @ts-expect-error: null is not undefined
  @Locked('skipped', { onBusy: 'skip' })
  async skippedWithNull(): Promise<number | null> {
    return null;
  }

  // @ts-expect-error: what it results in later is not what the method results in
  @Locked('answered', { onBusy: async () => 'busy' })
  async answeredOtherwiseLater(): Promise<number> {
    return 1;
  }

  // @ts-expect-error: a function that may answer undefined is like 'skip'
  @Locked('answered', { onBusy: ({ keys }) => (keys.length > 1 ? 1 : undefined) })
  async answeredSometimes(): Promise<number> {
    return 1;
  }

  // @ts-expect-error: the signal is made of another argument than the method has
  @Locked('given up', { signal: (signal: AbortSignal) => signal })
  async signalOfAnother(_id: string): Promise<void> {}

  // @ts-expect-error: the signal is that of another class
  @Locked('given up', {
    signal(this: AbortController) {
      return this.signal;
    },
  })
  async signalOfAnotherClass(): Promise<void> {}

  // @ts-expect-error: no signal
  @Locked('given up', { signal: (signal: string) => signal })
  async noSignal(_signal: string): Promise<void> {}

  // @ts-expect-error: no such option
  @Locked('typo', { waitms: 1 })
  async typo(): Promise<void> {}

  // @ts-expect-error: no such option, beside one that there is
  @Locked('typo', { waitMs: 1, minHoldMS: 1 })
  async typoBeside(): Promise<void> {}

  // @ts-expect-error: no such option
  @Locked<Orders['typoInferred']>((id) => id, { ttl: 1 })
  async typoInferred(id: string): Promise<string> {
    return id;
  }

  // @ts-expect-error: no such mode
  @Locked('mode', { mode: 'exclusiv' })
  async unknownMode(): Promise<void> {}

  // @ts-expect-error: no such mode
  @Locked('mode', { mode: { limit: '10' } })
  async unknownLimit(): Promise<void> {}

  // @ts-expect-error: no such mode
  @Locked('mode', { mode: { max: 10 } })
  async unknownKindOfMode(): Promise<void> {}

  // @ts-expect-error: no such policy
  @Locked('policy', { onBusy: 'ignore' })
  async unknownOnBusy(): Promise<void> {}

  // @ts-expect-error: no such policy
  @Locked('policy', { onLost: 'skip' })
  async unknownOnLost(): Promise<void> {}

  // @ts-expect-error: a duration is a number
  @Locked('duration', { waitMs: '5s' })
  async durationOfText(): Promise<void> {}

  // @ts-expect-error: it is or it is not
  @Locked('reentrant', { reentrant: 'true' })
  async reentrantOfText(): Promise<void> {}
}

LockInterceptor((context) => context.switchToHttp().getRequest<{ readonly id: string }>().id, { onBusy: 'skip' });
LockInterceptor('cart', { signal: (context) => context.switchToRpc().getContext<{ signal?: AbortSignal }>().signal });
// @ts-expect-error: a key is text
LockInterceptor(() => 1);
// @ts-expect-error: no such option
LockInterceptor('cart', { waitms: 1 });
// @ts-expect-error: no such mode
LockInterceptor('cart', { mode: 'read' });
// @ts-expect-error: a signal is made of the context
LockInterceptor('cart', { signal: (id: string) => new Map<string, AbortSignal>().get(id) });

export async function service(locks: LockService, signal: AbortSignal): Promise<number> {
  const inside: number = await locks.run('a', { mode: 'shared', signal }, () => 1);
  const token: bigint | undefined = LockService.current()?.fencingToken;
  const loss: AbortSignal | undefined = LockService.current()?.signal;
  // @ts-expect-error: no such mode
  await locks.acquire('a', { mode: 'write' });
  // @ts-expect-error: no such option
  await locks.acquire('a', { wait: 1 });
  // @ts-expect-error: there may be none
  LockService.current().assertHeld();
  // @ts-expect-error: a policy of run, for there is no body whose value it could be about
  await locks.acquire('a', { onLost: 'ignore' });
  return token === undefined || loss === undefined ? inside : 0;
}

LockModule.forRoot();
LockModule.forRoot({ name: 'reports', isGlobal: false, waitMs: 1_000 });
LockModule.forRootAsync({ name: 'reports', useFactory: async () => ({ leaseMs: 1_000 }) });
// @ts-expect-error: the name must be known before the factory has run
LockModule.forRootAsync({ useFactory: () => ({ name: 'reports' }) });
