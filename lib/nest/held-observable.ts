import {
  defer,
  from,
  fromEvent,
  isObservable,
  map,
  NEVER,
  Observable,
  type ObservableInput,
  of,
  type Subscriber,
  takeUntil,
} from 'rxjs';
import { holdBody } from './held-body.js';
import { type LockedCall } from './locked-call.js';
import { type OpenRun, quietly } from './open-run.js';

/**
 * An Observable of which every subscription acquires the lock and holds it until it completes, fails or is unsubscribed.
 * Completion and failure are passed on after the release. Unsubscribing from one that still waits leaves the line.
 */
export function heldObservable(call: LockedCall, start: () => unknown): Observable<unknown> {
  const source = defer(() => start() as ObservableInput<unknown>);
  return new Observable((subscriber) => {
    const left = new AbortController();
    const begin = (run: OpenRun): void => {
      if (!subscriber.closed) return subscribeWithin(run, source, subscriber);
      // Nobody wants it any more.
      const leave = run.enter();
      void quietly(leave);
    };
    const busy = (answer: unknown): void => {
      (isObservable(answer) ? answer : of(answer)).subscribe(subscriber);
    };
    call.open(begin, busy, left).catch((error: unknown) => subscriber.error(error));
    return () => left.abort();
  });
}

/** An Observable that is handed out under the lock: the lock is held until its first subscription has ended. */
export function observableWithin(run: OpenRun, source: Observable<unknown>): Observable<unknown> {
  const leave = run.enter();
  return new Observable((subscriber) => {
    try {
      subscribeWithin(run, from(source), subscriber);
    } finally {
      void quietly(leave);
    }
  });
}

function subscribeWithin(run: OpenRun, source: Observable<unknown>, subscriber: Subscriber<unknown>): void {
  const leave = run.enter();
  const lost = run.lossSignal === undefined ? NEVER : fromEvent(run.lossSignal, 'abort');
  const held = source.pipe(
    takeUntil(lost),
    map((value) => holdBody(run, value)),
  );
  const subscription = run.inside(() =>
    held.subscribe({
      next: (value) => subscriber.next(value),
      error: (error: unknown) => void quietly(leave).then(() => subscriber.error(error)),
      complete: () =>
        void leave().then(
          () => subscriber.complete(),
          (loss: unknown) => subscriber.error(loss),
        ),
    }),
  );
  subscriber.add(() => {
    subscription.unsubscribe();
    void quietly(leave);
  });
}
