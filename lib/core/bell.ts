import { type Context } from './context.js';
import { type Timer } from './timers.js';

/** A sleep that a ring or its time ends. A ring with nobody asleep is kept for the next sleep. */
export class Bell<T> {
  private rung: { readonly word: T | undefined } | undefined;
  private sleeper: { readonly timer: Timer; readonly wakeUp: () => void } | undefined;

  constructor(private readonly context: Context) {}

  ring(word?: T): void {
    // A word outweighs a bare ring that follows it.
    if (word !== undefined || this.rung === undefined) this.rung = { word };
    this.sleeper?.wakeUp();
  }

  /** What was said with the ring that ended the sleep, if anything. */
  async sleep(forMs: number): Promise<T | undefined> {
    if (this.rung === undefined) {
      const { clock, timers } = this.context;
      await new Promise<void>((resolve) => {
        const wakeUp = (): void => {
          timers.cancel(timer);
          this.sleeper = undefined;
          resolve();
        };
        const timer = timers.set(clock.now() + forMs, true, wakeUp);
        this.sleeper = { timer, wakeUp };
      });
    }
    const word = this.rung?.word;
    this.rung = undefined;
    return word;
  }
}
