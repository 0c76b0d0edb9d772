import { type LockedCall } from './locked-call.js';
import { type OpenRun, quietly } from './open-run.js';

type Step = IteratorResult<unknown, unknown>;
type Generator = AsyncGenerator<unknown, unknown, unknown>;

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * An async generator that acquires the lock when it is first asked for an item, and holds it until it has ended, by
 * itself, by an error or by `return`. A `return` while it still waits leaves the line.
 */
export function heldGenerator(call: LockedCall, start: () => unknown): Generator {
  const left = new AbortController();
  let returned = false;
  const begin = (run: OpenRun): AsyncIterator<unknown, unknown> =>
    generatorWithin(run, (start() as AsyncIterable<unknown>)[Symbol.asyncIterator]());
  const busy = (answer: unknown): AsyncIterator<unknown, unknown> => itemsOf(answer)[Symbol.asyncIterator]();

  const generator = (async function* (): Generator {
    let items: AsyncIterator<unknown, unknown>;
    try {
      items = await call.open(begin, busy, left);
    } catch (error) {
      if (returned) return undefined;
      throw error;
    }
    if (!returned) return yield* { [Symbol.asyncIterator]: () => items };
    // Had in the very moment in which nobody wanted it any more: not a step of it is run.
    await items.return?.();
    return undefined;
  })();

  const endGenerator = generator.return.bind(generator);
  generator.return = (value) => {
    returned = true;
    left.abort();
    return endGenerator(value);
  };
  return generator;
}

async function* itemsOf(answer: unknown): AsyncGenerator<unknown, unknown> {
  if (isAsyncIterable(answer)) yield* answer;
  else if (answer !== undefined) yield answer;
  return undefined;
}

/** An async iterable that is handed out under the lock: the lock is held until its first iteration has ended. */
export function iterableWithin(run: OpenRun, iterable: AsyncIterable<unknown>): AsyncIterable<unknown> {
  if (isGenerator(iterable)) return generatorWithin(run, iterable);
  const leave = run.enter();
  const iterate = (): AsyncIterator<unknown> => {
    try {
      return generatorWithin(
        run,
        run.inside(() => iterable[Symbol.asyncIterator]()),
      );
    } finally {
      void quietly(leave);
    }
  };
  // A proxy must tell of what is frozen the truth, which is that it iterates without the lock.
  if (Object.isFrozen(iterable)) return { [Symbol.asyncIterator]: iterate };
  // Whatever else it is, it stays: a cursor, a paginator, something with a `toArray`.
  return new Proxy(iterable, {
    get(target, property) {
      if (property === Symbol.asyncIterator) return iterate;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function generatorWithin(run: OpenRun, source: AsyncIterator<unknown, unknown, unknown>): Generator {
  const leave = run.enter();
  // A source that is no generator may be asked again, or to return, before it has answered: it works on until then.
  let unanswered = 0;
  let over = false;

  const step = async (ask: () => Step | Promise<Step>): Promise<Step> => {
    if (over) return { done: true, value: undefined };
    unanswered += 1;
    let result: Step;
    try {
      run.assertOpen();
      result = await run.inside(ask);
      if (result.done) over = true;
      else run.assertOpen();
    } catch (error) {
      over = true;
      // If the lock was lost, the source does not know. If it threw, it has ended and ignores this.
      await quietly(async () => void (await run.inside(() => source.return?.())));
      await quietly(answered);
      throw error;
    }
    await answered();
    return result;
  };
  const answered = async (): Promise<void> => {
    unanswered -= 1;
    if (over && unanswered === 0) await leave();
  };

  return {
    next: (...sent) => step(() => source.next(...sent)),
    return: (value) => step(async () => source.return?.(await value) ?? { done: true, value }),
    throw: (error) => step(() => source.throw?.(error) ?? Promise.reject(error)),
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return(undefined);
    },
  };
}

function isGenerator(iterable: AsyncIterable<unknown>): iterable is Generator {
  return Object.prototype.toString.call(iterable) === '[object AsyncGenerator]';
}
