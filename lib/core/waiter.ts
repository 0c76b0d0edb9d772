import { Caller } from './caller.js';
import { type HeldLock } from './held-lock.js';
import { type Pursuit } from './pursuit.js';

/** A caller that wants a key, and the claim that is on its way for it. */
export class Waiter extends Caller<HeldLock> {
  pursuit: Pursuit<Waiter> | undefined;
  /** Its time is up; the ask that is under way decides. */
  expired = false;
  /** It has been told that it waits. */
  queued = false;
}
