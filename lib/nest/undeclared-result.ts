import { from, isObservable, mergeMap, type Observable, observable as interop, of } from 'rxjs';

type Start = () => unknown;

/** How to answer as each kind of method. */
export interface Answers {
  promise(start: Start): Promise<unknown>;
  observable(start: Start): Observable<unknown>;
  generator(start: Start): AsyncGenerator<unknown>;
}

/**
 * The answer of a method of which it is not known what it returns: a promise that can also be subscribed to, piped and
 * iterated. Whoever does so in the turn of the call gets what a declared Observable or async generator answers, to the
 * letter; otherwise it is a promise, and who subscribes to that later gets what it brings.
 */
export function asItIsUsed(start: Start, answers: Answers): Promise<unknown> {
  const startOnce = onceIfPromise(start);
  let decided = false;
  let observed: Observable<unknown> | undefined;
  let iterated: AsyncGenerator<unknown> | undefined;

  const answer = Promise.resolve().then(() => {
    decided = true;
    return observed ?? iterated ?? answers.promise(start);
  });
  const observable = (): Observable<unknown> => {
    if (!decided) observed ??= answers.observable(startOnce);
    return observed ?? from(answer).pipe(mergeMap((value) => (isObservable(value) ? value : of(value))));
  };
  const generator = (): AsyncGenerator<unknown> => {
    if (!decided) iterated ??= answers.generator(start);
    return iterated ?? itemsOf(answer);
  };
  return Object.defineProperties(answer.then(), {
    subscribe: { value: (...args: Parameters<Observable<unknown>['subscribe']>) => observable().subscribe(...args) },
    pipe: { value: (...args: Parameters<Observable<unknown>['pipe']>) => observable().pipe(...args) },
    [interop]: { value: observable },
    [Symbol.asyncIterator]: { value: generator },
  });
}

/** A promise is for one call, however many subscribe to it; an Observable begins anew for each. */
function onceIfPromise(start: Start): Start {
  let promise: PromiseLike<unknown> | undefined;
  return () => {
    const result = promise ?? start();
    if (isPromise(result)) promise = result;
    return result;
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

async function* itemsOf(iterable: Promise<unknown>): AsyncGenerator<unknown> {
  yield* (await iterable) as AsyncIterable<unknown>;
}
