import { type DynamicModule, Module } from '@nestjs/common';
import { ASYNC_OPTIONS_TYPE, ConfigurableModuleClass, OPTIONS_TYPE } from './lock.module-definition.js';
import { LockApplicationModule } from './lock-application.module.js';

/**
 * Gives an application its locks: `LockService`, and with it `@Locked` and `LockInterceptor`. Import it once, in the root
 * module; a second one beside it takes a `name`.
 *
 * At start-up it throws one LockConfigError with all that would fail at the first call: a key or an option that cannot be,
 * a lock service that is not there, an instance of a decorated class that Nest did not build. It warns of overrides that
 * dropped `@Locked`, and of decorated classes that no module provides.
 *
 * A LockErrorFilter answers for lock errors wherever Nest applies global filters.
 */
@Module({ imports: [LockApplicationModule] })
export class LockModule extends ConfigurableModuleClass {
  /**
   * Without options: locks in the memory of this process, global, ten seconds of lease and of wait.
   *
   * @throws LockConfigError, at start-up, when an option is out of range.
   */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * Options that are only known at start-up: by `useFactory`, or by `useClass` or `useExisting` with a LockOptionsFactory.
   * `name` and `isGlobal` stand beside the factory.
   *
   * @throws LockConfigError, at start-up, when an option is out of range.
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
