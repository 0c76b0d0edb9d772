import { type ModulesContainer } from '@nestjs/core';
import { type LockModuleOptions } from './lock-module.options.js';

/** Providers that every LockModule has, and by which it is known. */
export const LOCK_MODULE_NAME = 'LOCK_MODULE_NAME';
export const LOCK_MODULE_OPTIONS = 'LOCK_MODULE_OPTIONS';

/** A LockModule that an application has imported. */
export interface ImportedLockModule {
  readonly name: string;
  readonly isGlobal: boolean;
  readonly options: LockModuleOptions;
}

/** All of one application. Their options are known once its providers are built. */
export function importedLockModules(modules: ModulesContainer): ImportedLockModule[] {
  const imported: ImportedLockModule[] = [];
  for (const { providers, isGlobal } of modules.values()) {
    const name: unknown = providers.get(LOCK_MODULE_NAME)?.instance;
    const options: unknown = providers.get(LOCK_MODULE_OPTIONS)?.instance;
    if (typeof name === 'string') imported.push({ name, isGlobal, options: options as LockModuleOptions });
  }
  return imported;
}
