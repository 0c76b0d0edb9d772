import 'reflect-metadata';
import { Inject, Optional } from '@nestjs/common';
import { type LockManager } from '../core/lock-manager.js';
import { getLockServiceToken } from './lock-service.token.js';

/**
 * Has Nest give every instance of the class its lock service, as a property by symbol: so each instance has that of its
 * own application, in whatever scope it lives, and no registry is shared by two applications in one process.
 */
export function declareLockService(prototype: object, name: string): void {
  const property = propertyOf(name);
  if (Reflect.hasMetadata(property, prototype)) return;
  Reflect.defineMetadata(property, true, prototype);
  Inject(getLockServiceToken(name))(prototype, property);
  // Whoever lacks it is told by the first call, with the method's name, instead of by Nest, with a symbol.
  Optional()(prototype, property);
}

/** Undefined when Nest did not build the instance, or had no such service to give. */
export function lockServiceOf(instance: unknown, name: string): LockManager | undefined {
  return (instance as { readonly [property: symbol]: LockManager | undefined } | undefined)?.[propertyOf(name)];
}

/** What Nest does, for an instance that it does not build. */
export function giveLockService(instance: object, name: string, service: LockManager): void {
  Object.defineProperty(instance, propertyOf(name), { value: service, configurable: true, writable: true });
}

function propertyOf(name: string): symbol {
  return Symbol.for(`nestjs-locked:${name}`);
}
