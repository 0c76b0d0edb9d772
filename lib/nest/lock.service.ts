import { Injectable } from '@nestjs/common';
import { LockManager } from '../core/lock-manager.js';

/**
 * The lock manager of a Nest application, made by LockModule: inject it to acquire, run and inspect. A class token, so
 * `constructor(private readonly locks: LockService)` is all it takes; a named one is injected by `@InjectLockService(name)`.
 *
 * When the application shuts down it takes no new callers, and lets those who run or wait end, for at most `drainMs`
 * milliseconds; once the servers are closed it takes what is left from its holders and closes the backend.
 */
@Injectable()
export class LockService extends LockManager {}
