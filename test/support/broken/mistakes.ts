import { type Mistake } from './broken-backend.js';
import { evictingMistakes } from './evicting.mistakes.js';
import { inspectionMistakes } from './inspection.mistakes.js';
import { joiningMistakes } from './joining.mistakes.js';
import { keysMistakes } from './keys.mistakes.js';
import { leasesMistakes } from './leases.mistakes.js';
import { leavingMistakes } from './leaving.mistakes.js';
import { orderMistakes } from './order.mistakes.js';
import { placesMistakes } from './places.mistakes.js';
import { wakesMistakes } from './wakes.mistakes.js';

/** Every one of them must be caught. */
export const mistakes: readonly Mistake[] = [
  ...leavingMistakes,
  ...evictingMistakes,
  ...joiningMistakes,
  ...orderMistakes,
  ...placesMistakes,
  ...leasesMistakes,
  ...wakesMistakes,
  ...inspectionMistakes,
  ...keysMistakes,
];
