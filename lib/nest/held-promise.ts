import { isObservable } from 'rxjs';
import { holdBody, isBody } from './held-body.js';
import { observableWithin } from './held-observable.js';
import { type LockedCall } from './locked-call.js';

/**
 * A promise that is held until it settles; what it brings is held on, if that goes on: an Observable, or what a response
 * can be streamed from.
 */
export function heldPromise(call: LockedCall, start: () => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const released = call.run<unknown>(
      async (lock) => {
        const value = await start();
        if (!isObservable(value) && !isBody(value)) return value;
        const run = call.openRun(lock, () => released);
        resolve(isObservable(value) ? observableWithin(run, value) : holdBody(run, value));
        return run.over;
      },
      (answer) => answer,
    );
    // Once something was handed out that goes on, that tells how it ended, and this does nothing.
    released.then(resolve, reject);
  });
}
