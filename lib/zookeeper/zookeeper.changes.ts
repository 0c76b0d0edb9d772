import { type Clock } from '../core/clock.js';

/** Those who wait until something has come true. */
export class Changes {
  private readonly looks = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** Whether it came true in the time given. Looked at now, and whenever there is told of a change. */
  come(isTrue: () => boolean, withinMs: number): Promise<boolean> {
    if (isTrue()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (came: boolean): void => {
        late.cancel();
        this.looks.delete(look);
        resolve(came);
      };
      const look = (): void => {
        if (isTrue()) settle(true);
      };
      const late = this.clock.alarm(withinMs, () => settle(false));
      this.looks.add(look);
    });
  }

  told(): void {
    for (const look of [...this.looks]) look();
  }
}
