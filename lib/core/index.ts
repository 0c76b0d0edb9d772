export { holders } from './admission.js';
export type { Answer } from './answer.js';
export type { Claim, ClaimRequest, Held, LockBackend, Place, Standing, Waiting } from './backend.js';
export type { Alarm, Clock } from './clock.js';
export {
  isLockError,
  LockBackendError,
  LockConfigError,
  LockError,
  type LockErrorCode,
  LockLostError,
  LockReentrancyError,
  LockUnavailableError,
  type LossReason,
} from './errors.js';
export type { LockEvent, LockListener } from './events.js';
export type { LineEntry, LineReport } from './line-report.js';
export type { Lock } from './lock.js';
export { type Keys, LockManager } from './lock-manager.js';
export type { AcquireOptions, LockManagerOptions, LockMode, RunOptions } from './options.js';
export type { LockOwner } from './owner.js';
export type { Random } from './random.js';
export type { LockTrace } from './traces.js';
