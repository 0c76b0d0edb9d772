import { type HttpException } from '@nestjs/common';
import { type LockBackend } from '../core/backend.js';
import { type LockError } from '../core/errors.js';
import { type LockManagerOptions } from '../core/options.js';

/** What `LockModule.forRoot` takes, and what a factory of `LockModule.forRootAsync` makes. */
export interface LockModuleOptions extends Omit<LockManagerOptions, 'backend'> {
  /**
   * Where the locks live. Where it is not given: the memory of this process, which locks nothing against other
   * processes. With NODE_ENV=production that is worth a warning at start-up, unless it was asked for by name.
   */
  readonly backend?: LockBackend;
  /**
   * What an HTTP client is answered when a lock error reaches it; undefined leaves that error to the default, see
   * LockErrorFilter. One application has one such function.
   */
  readonly toHttpException?: (error: LockError) => HttpException | undefined;
}

/** What a class is that `useClass` or `useExisting` of `LockModule.forRootAsync` names. */
export interface LockOptionsFactory {
  createLockOptions(): LockModuleOptions | Promise<LockModuleOptions>;
}
