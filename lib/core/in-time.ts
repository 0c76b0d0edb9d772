import { type Answer, answerOf, isPending } from './answer.js';
import { type Context } from './context.js';

/** A call to the backend that settled neither way in the time given. Not known what came of it. */
export class NoAnswerError extends Error {
  constructor(backend: string, withinMs: number) {
    super(`the ${backend} backend gave no answer within ${Math.round(withinMs)} ms`);
    this.name = 'NoAnswerError';
  }
}

/** How long any call is waited for: a backend should tell sooner that it cannot tell. */
export const PATIENCE_MS = 5_000;

/** What the call answers, or NoAnswerError. */
export function inTime<T>(context: Context, withinMs: number, call: () => Answer<T>): Answer<T> {
  const answer = answerOf(call);
  if (!isPending(answer)) return answer;
  return new Promise<T>((resolve, reject) => {
    const { backend, clock, timers } = context;
    const timer = timers.set(clock.now() + withinMs, true, () => reject(new NoAnswerError(backend.name, withinMs)));
    answer.then(
      (value) => {
        timers.cancel(timer);
        resolve(value);
      },
      (error: unknown) => {
        timers.cancel(timer);
        reject(error);
      },
    );
  });
}
