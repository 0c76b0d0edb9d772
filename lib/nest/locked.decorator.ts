import 'reflect-metadata';
import { LockConfigError } from '../core/errors.js';
import { type LockManager } from '../core/lock-manager.js';
import { declareLockService, lockServiceOf } from './lock-service.property.js';
import { DEFAULT_NAME, howToImport } from './lock-service.token.js';
import { LockedCall } from './locked-call.js';
import { declareLocked } from './locked.declarations.js';
import { addLockedMetadata, disguise } from './locked.metadata.js';
import { type Busy, type LockedOptions, type LockSignal, type OnBusy, optionsOfCall } from './locked.options.js';
import { readKeysOf, type ReadOptions, readOptions } from './locked.options.js';
import { resultKindOf } from './result-kind.js';
import {
  type LockableMethod,
  type LockedDecorator,
  type LockKey,
  type OnBusyOf,
  type ResultOf,
} from './locked.types.js';

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
 * A key or an option that cannot be is told when the application starts, together with whatever else is wrong there.
 *
 * @throws LockConfigError when it decorates anything but a method whose result can wait.
 */
export function Locked<const Key extends LockKey, Chosen extends OnBusy, Signal extends LockSignal = AbortSignal>(
  key: Key,
  options?: LockedOptions<Chosen, Signal>,
): LockedDecorator<Key, Chosen, Signal>;
export function Locked<Method extends LockableMethod>(
  key: LockKey<Parameters<Method>>,
  options?: LockedOptions<OnBusyOf<Method>, LockSignal<Parameters<Method>>>,
): LockedDecorator<(...args: Parameters<Method>) => string, (busy: Busy) => ResultOf<Method>>;
export function Locked(key: unknown, options: LockedOptions<OnBusy, LockSignal> = {}): unknown {
  return (target: object, name: unknown, descriptor?: PropertyDescriptor): PropertyDescriptor => {
    refuseStandardDecorators(name);
    const place = `${typeof target === 'function' ? target.name : target.constructor.name}.${String(name)}`;
    const method = methodOf(place, target, descriptor);
    const kind = resultKindOf(place, method, Reflect.getMetadata('design:returntype', target, name as string | symbol));
    const terms = readTerms(place, key, options);

    const wrapper = function (this: unknown, ...args: unknown[]): unknown {
      let call: LockedCall;
      try {
        call = callUnder(terms, place, this, args);
      } catch (error) {
        return kind.failed(error);
      }
      return kind.held(call, () => method.apply(this, args));
    };
    disguise(wrapper, method);
    const { service = DEFAULT_NAME } = options ?? {};
    const problem = terms instanceof LockConfigError ? terms : undefined;
    addLockedMetadata(wrapper, { key, options, service });
    declareLocked(target, { name: name as string | symbol, place, service, problem });
    if (problem === undefined) declareLockService(target, service);

    // In place, since `applyDecorators` goes on with the descriptor it has, whatever is returned.
    descriptor!.value = wrapper;
    return descriptor!;
  };
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What one `@Locked` says, checked. */
interface Terms {
  readonly options: ReadOptions;
  readonly keysFor: (instance: unknown, args: unknown[]) => readonly string[];
}

/** Answers with what is wrong instead of throwing it: whoever starts the application is told everything at once. */
function readTerms(place: string, key: unknown, options: LockedOptions<OnBusy, LockSignal>): Terms | LockConfigError {
  try {
    const read = readOptions(place, options);
    if (typeof key === 'function') {
      return { options: read, keysFor: (instance, args) => readKeysOf(place, (key as Method).apply(instance, args)) };
    }
    const keys = readKeysOf(place, key);
    return { options: read, keysFor: () => keys };
  } catch (error) {
    if (error instanceof LockConfigError) return error;
    throw error;
  }
}

function callUnder(terms: Terms | LockConfigError, place: string, instance: unknown, args: unknown[]): LockedCall {
  if (terms instanceof LockConfigError) throw new LockConfigError(terms.message, terms.key, { cause: terms });
  const { options, keysFor } = terms;
  const service = serviceFor(place, instance, options.service);
  return new LockedCall(service, keysFor(instance, args), optionsOfCall(place, options, instance, args));
}

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
