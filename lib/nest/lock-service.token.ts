import { Inject } from '@nestjs/common';
import { LockConfigError } from '../core/errors.js';
import { LockService } from './lock.service.js';

/** The name of the lock service that is meant when none is named. */
export const DEFAULT_NAME = 'default';

/**
 * What a lock service is injected by: the class for the default one, a string for one of a name.
 *
 * @throws LockConfigError when the name is not a string or is empty.
 */
export function getLockServiceToken(name: string = DEFAULT_NAME): typeof LockService | string {
  if (typeof name !== 'string' || name === '') {
    throw new LockConfigError('the name of a lock service is a string that is not empty');
  }
  return name === DEFAULT_NAME ? LockService : `LockService:${name}`;
}

/**
 * Injects the lock service of `LockModule.forRoot({ name })`; without a name, the default one.
 *
 * @throws LockConfigError when the name is not a string or is empty.
 */
export function InjectLockService(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getLockServiceToken(name));
}

/** How somebody who lacks the service gets it, for messages. */
export function howToImport(name: string): string {
  return name === DEFAULT_NAME ? 'LockModule.forRoot()' : `LockModule.forRoot({ name: '${name}', … })`;
}
