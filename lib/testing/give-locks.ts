import { type LockManager } from '../core/lock-manager.js';
import { giveLockService } from '../nest/lock-service.property.js';
import { declarationsOf, lineageOf } from '../nest/locked.declarations.js';

/**
 * Gives an instance that a test made by `new` the lock service that its `@Locked` methods need, as Nest would; every one
 * of them, whichever `service` they name. Returns the instance.
 *
 * @throws Error when no method of it is `@Locked`.
 */
export function giveLocks<Instance extends object>(instance: Instance, locks: LockManager): Instance {
  const names = [...lineageOf(instance)].flatMap(declarationsOf).map(({ service }) => service);
  if (names.length === 0) throw new Error(`${instance.constructor.name} has no @Locked method, and needs no locks`);
  for (const name of names) giveLockService(instance, name, locks);
  return instance;
}
