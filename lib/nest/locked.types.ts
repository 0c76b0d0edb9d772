import { type Observable } from 'rxjs';
import { type Keys } from '../core/lock-manager.js';
import { type Busy, type OnBusy } from './locked.options.js';

/** What a locked method may return: something that ends later, for only that can wait for a lock. */
export type Pending<Result = unknown> = PromiseLike<Result> | Observable<Result> | AsyncIterable<Result>;

export type LockableMethod = (...args: never[]) => Pending;

/** What a call of the method comes to. */
export type ResultOf<Method> = Method extends (...args: never[]) => infer Returned
  ? Returned extends Pending<infer Result>
    ? Result
    : never
  : never;

/** The key of a method: fixed, or a function of its arguments, with `this` being the instance. */
export type LockKey<Args extends readonly unknown[] = never[]> = Keys | ((this: never, ...args: Args) => Keys);

/** What `onBusy` may be for a method. */
export type OnBusyOf<Method> =
  | 'throw'
  | (undefined extends ResultOf<Method>
      ? 'skip'
      : Method extends (...args: never[]) => AsyncIterable<unknown>
        ? 'skip'
        : never)
  | ((busy: Busy) => ResultOf<Method> | Pending<ResultOf<Method>>);

/** Decorates a method that the key, `onBusy` and `signal` fit. For any other, its return type says what does not fit. */
export interface LockedDecorator<Key = string, Chosen = OnBusy, Signal = AbortSignal> {
  <Target, Method>(
    target: Target,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): Problem<Target, Method, Key, Chosen, Signal>;
  /** As a plain MethodDecorator, which knows neither names nor types: for `applyDecorators` and the like. */
  <Name extends string | symbol, Method>(
    target: object,
    name: string extends Name ? Name : never,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
}

/** Nothing that a decorator may return, so that the compiler says why. A bare string it would show as `string`. */
interface Unlockable<Why extends string> {
  readonly why: Why;
}

type Problem<Target, Method, Key, Chosen, Signal> = Method extends (...args: infer Args) => infer Returned
  ? First<
      ReturnProblem<Returned>,
      First<
        ArgumentsProblem<Target, Args, Key, 'key'>,
        First<ArgumentsProblem<Target, Args, Signal, 'signal'>, BusyProblem<Method, Chosen>>
      >
    >
  : Unlockable<'Only a method can be @Locked'>;

type ReturnProblem<Returned> =
  IsAny<Returned> extends true
    ? void
    : [Returned] extends [Pending]
      ? void
      : Unlockable<'A @Locked method must return a Promise, an Observable or an AsyncIterable'>;

/** Of a function that is called with the arguments of the method: for its key, for its signal. */
type ArgumentsProblem<Target, Args extends unknown[], Given, What extends string> = Given extends (
  this: infer This,
  ...args: never[]
) => unknown
  ? Given extends (this: never, ...args: Args) => unknown
    ? [Target] extends [This]
      ? void
      : Unlockable<`The ${What} function wants another \`this\` than the class of the method`>
    : Unlockable<`The parameters of the ${What} function do not fit those of the method: give them its types`>
  : void;

/** What could be anything is not known, and so not wrong: options without `onBusy`, or from elsewhere. */
type BusyProblem<Method, Chosen> = [OnBusy] extends [Chosen]
  ? void
  : [Chosen] extends [OnBusyOf<Method>]
    ? void
    : Unlockable<'What onBusy results in does not fit the result of the method (undefined, if skipped)'>;

type First<Problem, Other> = [Problem] extends [void] ? Other : Problem;

type IsAny<Type> = 0 extends 1 & Type ? true : false;
