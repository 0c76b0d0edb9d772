import { throwError } from 'rxjs';
import { LockConfigError } from '../core/errors.js';
import { heldGenerator } from './held-iterable.js';
import { heldObservable } from './held-observable.js';
import { heldPromise } from './held-promise.js';
import { type LockedCall } from './locked-call.js';

/**
 * How methods of a kind answer. What a method returns must be known before it is called, because it is called later: when
 * the lock is had.
 */
export interface ResultKind {
  /** Has `start` called under the lock, and the lock held until the end of what that returns. */
  held(call: LockedCall, start: () => unknown): unknown;
  failed(error: unknown): unknown;
}

const promise = {
  held: heldPromise,
  failed: (error: unknown) => Promise.reject(error),
} satisfies ResultKind;

const observable = {
  held: heldObservable,
  failed: (error: unknown) => throwError(() => error),
} satisfies ResultKind;

const generator = {
  held: heldGenerator,
  async *failed(error: unknown): AsyncGenerator<never> {
    yield Promise.reject(error);
  },
} satisfies ResultKind;

/**
 * The kind of a method, as far as it can be told: by what sort of function it is, and by the return type that the compiler
 * wrote down. That is missing where none is declared, and says nothing (`Object`) for a class that is imported as a type
 * only, an interface, a union: such a method is taken for one that returns a promise, and what that brings is held on.
 *
 * @throws LockConfigError when it is known to return something at once.
 */
export function resultKindOf(place: string, method: object, returnType: unknown): ResultKind {
  switch (method.constructor.name) {
    case 'AsyncFunction':
      return promise;
    case 'AsyncGeneratorFunction':
      return generator;
    case 'GeneratorFunction':
      throw returnsAtOnce(place, 'a Generator');
  }
  if (typeof returnType !== 'function' || returnType === Object) return promise;
  if (isObservableClass(returnType)) return observable;
  if (hasMethod(returnType, 'then')) return promise;
  throw returnsAtOnce(place, returnType.name);
}

/** Whether a return type, as the compiler wrote it down, is known to be an Observable. */
export function isObservableClass(returnType: unknown): boolean {
  return hasMethod(returnType, 'subscribe');
}

function hasMethod(type: unknown, name: string): boolean {
  const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
  return typeof prototype === 'object' && prototype !== null && name in prototype;
}

function returnsAtOnce(place: string, what: string): LockConfigError {
  return new LockConfigError(
    `${place} returns ${what} at once, and cannot wait for a lock: let it return a Promise, an Observable, or be async`,
  );
}
