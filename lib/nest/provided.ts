import { type ModulesContainer } from '@nestjs/core';
import { type getLockServiceToken } from './lock-service.token.js';
import { declarationsOf, lineageOf, type LockedDeclaration } from './locked.declarations.js';

type NestModule = NonNullable<ReturnType<ModulesContainer['get']>>;

/** Something that a module provides: a class for Nest to build, or an object that somebody else built. */
export interface Provided {
  readonly module: NestModule;
  readonly name: string;
  /** The prototype of the class, or the object. */
  readonly object: object;
  readonly builtByNest: boolean;
}

/** One `@Locked` that an object inherits. */
export interface LockedMethod {
  readonly locked: LockedDeclaration;
  /** The prototype that it was written in. */
  readonly declarer: object;
  /** Whose method of that name is the one that is called. */
  readonly owner: object | undefined;
}

/** All that Nest builds or is given, as far as it is there before the first request. */
export function* providedBy(module: NestModule): Iterable<Provided> {
  for (const wrapper of [
    ...module.controllers.values(),
    ...module.providers.values(),
    ...module.injectables.values(),
    ...module.middlewares.values(),
  ]) {
    const { metatype, instance } = wrapper;
    const name = String(wrapper.name);
    if (wrapper.isNotMetatype) {
      const object: unknown = instance;
      if (typeof object === 'object' && object !== null) yield { module, name, object, builtByNest: false };
    } else if (typeof metatype === 'function' && typeof metatype.prototype === 'object') {
      yield { module, name, object: metatype.prototype as object, builtByNest: true };
    }
  }
}

/** Every `@Locked` in the lineage of an object. */
export function* lockedMethodsOf(object: object): Iterable<LockedMethod> {
  const lineage = [...lineageOf(object)];
  for (const declarer of lineage) {
    for (const locked of declarationsOf(declarer)) {
      const owner = lineage.find((ancestor) => Object.hasOwn(ancestor, locked.name));
      yield { locked, owner, declarer };
    }
  }
}

/** Whether the injector would find the token from within the module. Global modules are among the imports of all others. */
export function sees(module: NestModule, token: ReturnType<typeof getLockServiceToken>): boolean {
  return module.providers.has(token) || [...module.imports].some((imported) => offers(imported, token, new Set()));
}

function offers(module: NestModule, token: ReturnType<typeof getLockServiceToken>, asked: Set<NestModule>): boolean {
  if (asked.has(module)) return false;
  asked.add(module);
  if (module.exports.has(token) && module.providers.has(token)) return true;
  return [...module.imports].some((other) => module.exports.has(other.metatype) && offers(other, token, asked));
}
