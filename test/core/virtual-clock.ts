import { type Clock } from '../../lib/core/clock.js';

interface Pending {
  readonly due: number;
  readonly ring: () => void;
}

/** A clock that goes only when told to. Wall and monotonic time can be moved apart, as a suspended machine does. */
export class VirtualClock implements Clock {
  private time = 1_000;
  private offset = 1_800_000_000_000;
  private readonly pending = new Set<Pending>();

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.time + this.offset;
  }

  alarm(delayMs: number, ring: () => void): { cancel: () => void; keepAlive: () => void } {
    const alarm = { due: this.time + Math.max(0, delayMs), ring };
    this.pending.add(alarm);
    return { cancel: () => void this.pending.delete(alarm), keepAlive: () => undefined };
  }

  /** Time passes; whatever becomes due happens, in order, each with all that follows from it. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (let next = this.earliest(end); next !== undefined; next = this.earliest(end)) {
      this.pending.delete(next);
      this.time = Math.max(this.time, next.due);
      next.ring();
      await settled();
    }
    this.time = end;
    await settled();
  }

  /** Time passes while nothing of this process runs: a blocked event loop. */
  stall(ms: number): void {
    this.time += ms;
  }

  /** The machine sleeps: wall time passes, monotonic time does not, and nothing runs. */
  sleep(ms: number): void {
    this.offset += ms;
  }

  private earliest(before: number): Pending | undefined {
    let first: Pending | undefined;
    for (const each of this.pending)
      if (each.due <= before && (first === undefined || each.due < first.due)) first = each;
    return first;
  }
}

/** Resolves when every promise that can settle without time passing has settled. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
