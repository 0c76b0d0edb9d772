import { Logger } from '@nestjs/common';
import { LockConfigError } from '../core/errors.js';
import { type LockManagerOptions } from '../core/options.js';
import { MemoryBackend } from '../memory/memory.backend.js';
import { type LockModuleOptions } from './lock-module.options.js';

/** The options of a lock manager, with the embedded default where no backend was given. */
export function managerOptions(options: LockModuleOptions): LockManagerOptions {
  // A factory that forgot to return must not be taken for one that wants the defaults.
  if (typeof options !== 'object' || options === null) {
    throw new LockConfigError(`LockModule needs an object of options, and its factory gave ${String(options)}`);
  }
  const { backend, ...rest } = options;
  if (backend !== undefined) return { ...rest, backend };
  if (process.env.NODE_ENV === 'production') warnOfDefault();
  return { ...rest, backend: new MemoryBackend() };
}

function warnOfDefault(): void {
  new Logger('LockModule').warn(
    'No backend was given, so locks hold within this process only: other instances of the application do not see them. ' +
      'Give LockModule the backend that they share; or, if one process is all there is, ask for the default by name: ' +
      "backend: new MemoryBackend() from 'nestjs-locked/memory'.",
  );
}
