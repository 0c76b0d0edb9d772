import 'reflect-metadata';
import { type LockConfigError } from '../core/errors.js';

/** One `@Locked`, as the check at start-up sees it. */
export interface LockedDeclaration {
  readonly name: string | symbol;
  /** `Orders.ship`. */
  readonly place: string;
  /** The name of the lock service that it asks for. */
  readonly service: string;
  /** What is wrong with its key or its options. */
  readonly problem: LockConfigError | undefined;
}

const DECLARATIONS = Symbol.for('nestjs-locked:declarations');

/** Prototypes of classes with `@Locked` methods that no application was asked about yet. */
const unseen = new Set<WeakRef<object>>();

export function declareLocked(prototype: object, declaration: LockedDeclaration): void {
  const earlier = declarationsOf(prototype);
  if (earlier.length === 0) unseen.add(new WeakRef(prototype));
  Reflect.defineMetadata(DECLARATIONS, [...earlier, declaration], prototype);
}

/** Of the class itself, without those that it extends. */
export function declarationsOf(prototype: object): readonly LockedDeclaration[] {
  return (Reflect.getOwnMetadata(DECLARATIONS, prototype) as LockedDeclaration[] | undefined) ?? [];
}

/** Those that were declared since this was last asked: every class is asked about once. */
export function takeUnseenPrototypes(): object[] {
  const prototypes = [...unseen].flatMap((reference) => reference.deref() ?? []);
  unseen.clear();
  return prototypes;
}

/** An object and all that it inherits from, nearest first. */
export function* lineageOf(object: object | null): Iterable<object> {
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null)
    yield at;
}
