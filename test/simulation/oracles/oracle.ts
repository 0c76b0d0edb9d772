import { type Entry } from '../history.js';

/** Looks at one history and says what is wrong with it. */
export interface Oracle {
  readonly name: string;
  readonly judge: (history: readonly Entry[]) => string[];
}
