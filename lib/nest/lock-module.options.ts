import { type LockBackend } from '../core/backend.js';
import { type LockManagerOptions } from '../core/options.js';
import { type LockErrorAnswering } from './lock-error.answer.js';

/** What `LockModule.forRoot` takes, and what a factory of `LockModule.forRootAsync` makes. */
export interface LockModuleOptions extends Omit<LockManagerOptions, 'backend' | 'name'> {
  /**
   * Where the locks live. Where it is not given: the memory of this process, which locks nothing against other
   * processes. With NODE_ENV=production that is worth a warning at start-up, unless it was asked for by name.
   */
  readonly backend?: LockBackend;
  /**
   * What whoever called a handler is answered when a lock error reaches them, over every transport: given the error and
   * the usual answer, another one; undefined leaves the usual one, see LockErrorFilter. One application has one such function.
   */
  readonly answerError?: LockErrorAnswering;
}

/** What a class is that `useClass` or `useExisting` of `LockModule.forRootAsync` names. */
export interface LockOptionsFactory {
  createLockOptions(): LockModuleOptions | Promise<LockModuleOptions>;
}
