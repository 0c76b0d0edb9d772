import { type ModulesContainer } from '@nestjs/core';
import { type LockModuleOptions } from './lock-module.options.js';
import { getLockServiceToken } from './lock-service.token.js';
import { LockService } from './lock.service.js';

/** Providers that every LockModule has, and by which it is known. */
export const LOCK_MODULE_NAME = 'LOCK_MODULE_NAME';
export const LOCK_MODULE_OPTIONS = 'LOCK_MODULE_OPTIONS';

/** A LockModule that an application has imported. */
export interface ImportedLockModule {
  readonly name: string;
  readonly isGlobal: boolean;
  /** None when they are made for each request anew. */
  readonly options: Partial<LockModuleOptions>;
  readonly service: LockService | undefined;
  readonly isRequestScoped: boolean;
}

/** All of one application. Their options are known once its providers are built. */
export function importedLockModules(modules: ModulesContainer): ImportedLockModule[] {
  const imported: ImportedLockModule[] = [];
  for (const { providers, isGlobal } of modules.values()) {
    const name: unknown = providers.get(LOCK_MODULE_NAME)?.instance;
    if (typeof name !== 'string') continue;
    const options = providers.get(LOCK_MODULE_OPTIONS);
    const service: unknown = providers.get(getLockServiceToken(name))?.instance;
    imported.push({
      name,
      isGlobal,
      options: (options?.instance as LockModuleOptions | undefined) ?? {},
      service: service instanceof LockService ? service : undefined,
      isRequestScoped: options?.isDependencyTreeStatic() === false,
    });
  }
  return imported;
}
