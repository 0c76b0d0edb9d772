import { type Clock } from '../../lib/core/clock.js';

/** A moment that somebody waits for. */
interface Alarm {
  readonly due: number;
  readonly ring: () => void;
}

/**
 * Time that passes only when nothing else is left to do: it jumps to the next alarm as soon as all promises have settled
 * that can. A minute of leases takes milliseconds, and the same run is the same on every machine. For code that knows no
 * time but this, and waits for nothing outside.
 */
export class IdleClock implements Clock {
  private time = 1_000;
  private alarms: Alarm[] = [];
  private turning = false;

  now(): number {
    return this.time;
  }

  wall(): number {
    return 1_800_000_000_000 + this.time;
  }

  alarm(delayMs: number, ring: () => void): ReturnType<Clock['alarm']> {
    // No timer of Node rings sooner than after 1 ms, and one that did would let time stand still.
    const alarm = { due: this.time + Math.max(1, delayMs), ring };
    const later = this.alarms.findIndex(({ due }) => due > alarm.due);
    this.alarms.splice(later < 0 ? this.alarms.length : later, 0, alarm);
    this.turn();
    return {
      cancel: () => void (this.alarms = this.alarms.filter((each) => each !== alarm)),
      keepAlive: () => undefined,
    };
  }

  private turn(): void {
    if (this.turning || this.alarms.length === 0) return;
    this.turning = true;
    setImmediate(() => {
      this.turning = false;
      const next = this.alarms.shift();
      if (next === undefined) return;
      this.time = Math.max(this.time, next.due);
      next.ring();
      this.turn();
    });
  }
}
