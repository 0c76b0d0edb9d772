import 'reflect-metadata';
import { type LockedOptions, type LockSignal, type OnBusy } from './locked.options.js';

const LOCKED = 'nestjs-locked:locked';

/** What one `@Locked` says of its method. */
export interface LockedMetadata {
  /** As it was written: a key, keys, or a function of the method's arguments. */
  readonly key: unknown;
  readonly options: LockedOptions<OnBusy, LockSignal>;
  /** The name of the lock service. */
  readonly service: string;
}

/** Every `@Locked` of a method, innermost first; none for one that is not locked. For those who explore an application. */
export function lockedMetadata(method: object): readonly LockedMetadata[] {
  return (Reflect.getOwnMetadata(LOCKED, method) as LockedMetadata[] | undefined) ?? [];
}

export function addLockedMetadata(method: object, metadata: LockedMetadata): void {
  Reflect.defineMetadata(LOCKED, [...lockedMetadata(method), metadata], method);
}

/**
 * Has a wrapper pass for the method that it wraps: guards, routes, schedules and the like are metadata of the function
 * that Nest finds on the class, and swagger looks parameters up by its name.
 */
export function disguise(wrapper: object, method: (...args: never[]) => unknown): void {
  for (const key of Reflect.getOwnMetadataKeys(method)) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  }
  for (const property of ['name', 'length'] as const) {
    Object.defineProperty(wrapper, property, { value: method[property], configurable: true });
  }
}
