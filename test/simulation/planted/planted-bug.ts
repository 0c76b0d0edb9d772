import { type Family } from '../families/family.js';

/** Something that is made wrong on purpose, so that it is known what would be noticed. */
export interface PlantedBug {
  readonly name: string;
  /** Which oracle notices it. */
  readonly caughtBy: string;
  /** Without that one, it would go unnoticed. */
  readonly byNoOther?: boolean;
  /** What is simulated then. */
  readonly family: Family;
  /** Where it is in the core itself: puts it there. What it returns takes it away again. */
  readonly plant?: () => () => void;
}

type Method = (this: never, ...args: never[]) => unknown;

/** Puts another method in the place of one; `make` is given the right one. What it returns puts that back. */
export function replaceMethod(of: object, name: string, make: (right: Method) => Method): () => void {
  const methods = of as Record<string, Method>;
  const right = methods[name];
  if (typeof right !== 'function') throw new Error(`nothing is called ${name} there any more: plant the bug elsewhere`);
  methods[name] = make(right);
  return () => void (methods[name] = right);
}

/** The same for what is read like a property. */
export function replaceGetter<T>(of: object, name: string, get: (this: T) => unknown): () => void {
  const right = Object.getOwnPropertyDescriptor(of, name);
  if (right?.get === undefined) throw new Error(`nothing is called ${name} there any more: plant the bug elsewhere`);
  Object.defineProperty(of, name, { ...right, get });
  return () => void Object.defineProperty(of, name, right);
}
