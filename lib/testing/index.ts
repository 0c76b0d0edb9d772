export { giveLocks } from './give-locks.js';
export { TestingBackend } from './testing.backend.js';
export { UnlockedLockService } from './unlocked.service.js';
