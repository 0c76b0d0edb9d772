import { type Context } from './context.js';
import { type Timer } from './timers.js';

const MOMENT_MS = 1;

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

  /**
   * What was said with the ring that ended the sleep, if anything. Whoever was rung awake with nothing to say before it
   * slept sleeps for a moment all the same: somebody who rings at every answer would keep it asking for ever.
   */
  async sleep(forMs: number): Promise<T | undefined> {
    const early = this.rung !== undefined;
    if (this.rung?.word === undefined) {
      const { clock, timers } = this.context;
      await new Promise<void>((resolve) => {
        const wakeUp = (): void => {
          timers.cancel(timer);
          this.sleeper = undefined;
          resolve();
        };
        const timer = timers.set(clock.now() + (early ? MOMENT_MS : forMs), true, wakeUp);
        this.sleeper = { timer, wakeUp };
      });
    }
    const word = this.rung?.word;
    this.rung = undefined;
    return word;
  }
}
