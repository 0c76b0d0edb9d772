import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { LockService } from './lock.service.js';
import { type LockModuleOptions } from './lock-module.options.js';
import { LOCK_MODULE_NAME, LOCK_MODULE_OPTIONS } from './lock-modules.js';
import { DEFAULT_NAME, getLockServiceToken } from './lock-service.token.js';
import { managerOptions } from './manager-options.js';

/** What is said beside the options, because it must be known before a factory has run. */
export interface LockModuleExtras {
  /** Tells several lock services of one application apart: `@InjectLockService(name)`, `{ service: name }`. */
  readonly name?: string;
  /** Whether every module can use it without importing it. Default true. */
  readonly isGlobal?: boolean;
}

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<LockModuleOptions>({ moduleName: 'Lock', optionsInjectionToken: LOCK_MODULE_OPTIONS })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createLockOptions')
    .setExtras<LockModuleExtras>({ name: DEFAULT_NAME, isGlobal: true }, withLockService)
    .build();

function withLockService(definition: DynamicModule, { name, isGlobal = true }: LockModuleExtras): DynamicModule {
  const token = getLockServiceToken(name);
  return {
    ...definition,
    global: isGlobal,
    providers: [
      ...(definition.providers ?? []),
      { provide: LOCK_MODULE_NAME, useValue: name ?? DEFAULT_NAME },
      {
        provide: token,
        inject: [LOCK_MODULE_OPTIONS],
        useFactory: (options: LockModuleOptions) =>
          new LockService({ ...managerOptions(options), name: name ?? DEFAULT_NAME }),
      },
    ],
    exports: [token],
  };
}
