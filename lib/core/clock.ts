/**
 * Time, as the core sees it. The only door to clocks and timers, so that a simulation can hold it.
 */
export interface Clock {
  /** Milliseconds that never jump. Stands still while the machine is suspended, on Linux. */
  now(): number;
  /** Milliseconds of the epoch. May jump. Runs on while the machine is suspended. */
  wall(): number;
  /** Calls `ring` once, `delayMs` from now or a little later. A delay of more than 2^31 - 1 ms may ring early. */
  alarm(delayMs: number, ring: () => void): Alarm;
}

export interface Alarm {
  cancel(): void;
  /** Whether the process stays alive for it. At first it does. */
  keepAlive(wanted: boolean): void;
}

/** The longest delay that `setTimeout` keeps; past it, Node fires after 1 ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  alarm(delayMs, ring) {
    const timeout = setTimeout(ring, Math.min(Math.max(0, delayMs), MAX_TIMEOUT_MS));
    return {
      cancel: () => clearTimeout(timeout),
      keepAlive: (wanted) => void (wanted ? timeout.ref() : timeout.unref()),
    };
  },
};
