export { LockHealthIndicator, type LockPing } from './lock.health.js';
