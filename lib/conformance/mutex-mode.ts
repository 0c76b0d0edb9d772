import { type LockMode } from '../core/options.js';

/** A way to share a key that leaves room for one holder at a time. */
export interface MutexMode {
  readonly name: string;
  readonly mode: LockMode;
  readonly slots: number;
  /** How many holders there are already, for as long as the case runs. */
  readonly taken: number;
}

/** Every mode that degenerates to a mutex. What must hold of a mutex must hold in each. */
export const mutexModes: readonly [MutexMode, ...MutexMode[]] = [
  { name: 'exclusive', mode: 'exclusive', slots: 1, taken: 0 },
  { name: 'limit 1', mode: { limit: 1 }, slots: 1, taken: 0 },
  { name: 'limit 5, 4 taken', mode: { limit: 5 }, slots: 5, taken: 4 },
];

/** Those that differ as claims. To a backend, exclusive and a limit of 1 are the same. */
export const mutexClaims: readonly MutexMode[] = mutexModes.filter(
  ({ slots }, n) => mutexModes.findIndex((mode) => mode.slots === slots) === n,
);
