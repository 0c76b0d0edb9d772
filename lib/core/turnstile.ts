import { Caller } from './caller.js';
import { type Context } from './context.js';
import { LockUnavailableError } from './errors.js';
import { type Wish } from './options.js';

/** Lets one through at a time, in order. For siblings that re-enter one lock: being inside it does not let them run together. */
export class Turnstile {
  private readonly waiters = new Set<Caller<() => void>>();
  private taken = false;

  /** Resolves to what lets the next one through. */
  async enter(context: Context, key: string, wish: Wish): Promise<() => void> {
    if (!this.taken) return this.letIn();
    const waiter = new Caller<() => void>(context, wish);
    const dismiss = (reason: unknown): void => {
      this.waiters.delete(waiter);
      waiter.fail(reason);
    };
    this.waiters.add(waiter);
    waiter.heed(dismiss);
    waiter.hasUntilDeadline(() => {
      dismiss(new LockUnavailableError(key, { waitedMs: waiter.waitedMs, ahead: 1 }));
    });
    return waiter.served;
  }

  private letIn(): () => void {
    this.taken = true;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.taken = false;
      const [next] = this.waiters;
      if (next === undefined) return;
      this.waiters.delete(next);
      next.serve(this.letIn());
    };
  }
}
