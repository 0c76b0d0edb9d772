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
  takeWhile,
  tap,
} from 'rxjs';
import { holdBody } from './held-body.js';
import { type LockedCall } from './locked-call.js';
import { type OpenRun, quietly } from './open-run.js';

/**
 * An Observable of which every subscription acquires the lock and holds it until it completes, fails or is unsubscribed.
 * Completion and failure are passed on after the release. Unsubscribing from one that still waits leaves the line.
 *
 * Where there is a promise behind it, unsubscribing does not end the work, as when a timeout gives an async handler up:
 * the lock is held until that promise has settled.
 */
export function heldObservable(
  call: LockedCall,
  start: () => unknown,
  { ofPromise = false }: { readonly ofPromise?: boolean } = {},
): Observable<unknown> {
  return new Observable((subscriber) => {
    const left = new AbortController();
    const begin = (run: OpenRun): void => {
      if (!subscriber.closed) return subscribeWithin(run, start, subscriber, ofPromise);
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
      subscribeWithin(run, () => from(source), subscriber);
    } finally {
      void quietly(leave);
    }
  });
}

function subscribeWithin(run: OpenRun, start: () => unknown, subscriber: Subscriber<unknown>, ofPromise = false): void {
  const leave = run.enter();
  const lost = run.lossSignal === undefined ? NEVER : fromEvent(run.lossSignal, 'abort');
  let unsettled = ofPromise;
  const source = defer(() => {
    const result = start() as ObservableInput<unknown>;
    unsettled ||= result instanceof Promise;
    return result;
  });
  const held = source.pipe(
    tap(() => (unsettled = false)),
    takeWhile(() => !subscriber.closed),
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
    if (unsettled) return;
    subscription.unsubscribe();
    void quietly(leave);
  });
}
