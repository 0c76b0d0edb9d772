import 'reflect-metadata';
import { LockConfigError } from '../core/errors.js';
import { type LockManager } from '../core/lock-manager.js';
import { declareLockService, lockServiceOf } from './lock-service.property.js';
import { howToImport } from './lock-service.token.js';
import { LockedCall } from './locked-call.js';
import { addLockedMetadata, disguise } from './locked.metadata.js';
import { type LockedOptions, type OnBusy, readKeysOf, readOptions } from './locked.options.js';
import { resultKindOf } from './result-kind.js';
import { type LockableMethod, type LockedDecorator, type LockKey, type OnBusyOf } from './locked.types.js';

/**
 * Runs a method under a lock: calls with the same key run one after the other, in all processes that share the backend.
 * Works on any method of a class that Nest builds, in any scope: providers, controllers, resolvers, gateways, jobs.
 *
 * The key is fixed, or a function of the method's arguments, with `this` being the instance; several keys are one lock,
 * had only when all are. It is computed once, at the call. `@Locked<Orders['ship']>((order) => …)` infers the arguments.
 *
 * The lock is held until the end of the result: until the promise settles; until the Observable completes, fails or is
 * unsubscribed; until the async generator has ended. What a promise brings is held on to its end in the same way, be it an
 * Observable, a stream, a StreamableFile or an async iterable; nobody else can end it, so `maxHoldMs` is worth a thought.
 *
 * An Observable locks when it is subscribed to, provided that the method says so: with a return type, whose class is
 * imported as a value and not as a type. Otherwise the method answers a promise, of an Observable, and locks at the call.
 *
 * What the method throws is passed on untouched. Besides, the result fails with what `LockManager.run` throws:
 * LockUnavailableError, LockBackendError, LockReentrancyError, LockLostError; and with LockConfigError for a key that is
 * none, and for an instance that Nest did not build or could give no lock service. It never runs without the lock. What
 * a lock can promise, and what it cannot, is said at `Lock`.
 *
 * @throws LockConfigError when it decorates anything but a method whose result can wait, or an option is out of range.
 */
export function Locked<const Key extends LockKey, Chosen extends OnBusy>(
  key: Key,
  options?: LockedOptions<Chosen>,
): LockedDecorator<Key, Chosen>;
export function Locked<Method extends LockableMethod>(
  key: LockKey<Parameters<Method>>,
  options?: LockedOptions<OnBusyOf<Method>>,
): LockedDecorator<(...args: Parameters<Method>) => string>;
export function Locked(key: unknown, options: LockedOptions = {}): unknown {
  return (target: object, name: unknown, descriptor?: PropertyDescriptor): PropertyDescriptor => {
    refuseStandardDecorators(name);
    const place = `${typeof target === 'function' ? target.name : target.constructor.name}.${String(name)}`;
    const method = methodOf(place, target, descriptor);
    const kind = resultKindOf(place, method, Reflect.getMetadata('design:returntype', target, name as string | symbol));
    const read = readOptions(place, options);
    const fixedKeys = typeof key === 'function' ? undefined : readKeysOf(place, key);
    const keysFor = (instance: unknown, args: unknown[]): readonly string[] =>
      fixedKeys ?? readKeysOf(place, (key as Method).apply(instance, args));

    const wrapper = function (this: unknown, ...args: unknown[]): unknown {
      let call: LockedCall;
      try {
        call = new LockedCall(serviceFor(place, this, read.service), keysFor(this, args), read);
      } catch (error) {
        return kind.failed(error);
      }
      return kind.held(call, () => method.apply(this, args));
    };
    disguise(wrapper, method);
    addLockedMetadata(wrapper, { key, options, service: read.service });
    declareLockService(target, read.service);

    // In place, since `applyDecorators` goes on with the descriptor it has, whatever is returned.
    descriptor!.value = wrapper;
    return descriptor!;
  };
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

function refuseStandardDecorators(context: unknown): void {
  if (typeof context !== 'object' || context === null) return;
  const { name } = context as { readonly name?: string | symbol };
  throw new LockConfigError(
    `@Locked on ${String(name)} is compiled as a standard decorator, and Nest's are not: set experimentalDecorators`,
  );
}

function methodOf(place: string, target: object, descriptor: PropertyDescriptor | undefined): Method {
  if (typeof target === 'function') {
    throw new LockConfigError(`${place} is static, and has no instance that Nest could give a lock service`);
  }
  if (typeof descriptor?.value === 'function') return descriptor.value as Method;
  const found = descriptor?.get === undefined && descriptor?.set === undefined ? 'a field' : 'an accessor';
  throw new LockConfigError(`${place} is ${found}, and only a method can be @Locked`);
}

function serviceFor(place: string, instance: unknown, name: string): LockManager {
  const service = lockServiceOf(instance, name);
  if (service !== undefined) return service;
  throw new LockConfigError(
    `${place} is @Locked, and its instance has no lock service. Either ${howToImport(name)} is not imported where Nest ` +
      'builds the instance; or Nest did not build it (new, useFactory, useValue): provide the class itself, or call ' +
      'LockService.run instead; or its constructor called: do so in onModuleInit',
  );
}
