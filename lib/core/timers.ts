import { type Alarm, type Clock } from './clock.js';

/** A moment that something waits for. */
export interface Timer {
  readonly due: number;
  readonly keepAlive: boolean;
  readonly ring: () => void;
  /** Where it stands in the heap; -1 once it rang or was cancelled. */
  index: number;
}

/** What setting an alarm takes only if the process does not run meanwhile. */
const STOPPED_MS = 5;

/**
 * All timers of one lock manager on one alarm of its clock: a binary heap, so that a hundred thousand waiters cost the
 * event loop one timer.
 *
 * An alarm that turns out to be early, or for nothing, is left to ring: most timers are cancelled long before they are
 * due, and setting Node's timers anew for each lock took 6 µs to 200 µs where this takes none.
 *
 * A timer keeps the process alive if somebody waits for it. The renewal of a lock does not: a process that has nothing
 * else to do may end, and its locks with it.
 */
export class Timers {
  private readonly heap: Timer[] = [];
  private keepingAlive = 0;
  private mayKeepAlive = true;
  private alarm: (Alarm & { readonly due: number }) | undefined;
  private alarmKeepsAlive = false;

  /** `detached` is what the rings run in; see Context. */
  constructor(
    private readonly clock: Clock,
    private readonly detached: (work: () => void) => void = (work) => work(),
  ) {}

  /** How many timers are set. */
  get size(): number {
    return this.heap.length;
  }

  set(due: number, keepAlive: boolean, ring: () => void): Timer {
    const timer: Timer = { due, keepAlive, ring, index: this.heap.length };
    this.heap.push(timer);
    if (keepAlive) this.keepingAlive += 1;
    this.siftUp(timer);
    this.arm();
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    if (timer === undefined || timer.index < 0) return;
    this.remove(timer);
    this.arm();
  }

  /** Whatever still waits may go on waiting, but the process need not. */
  letProcessEnd(): void {
    this.mayKeepAlive = false;
    this.arm();
  }

  private ringAllDue(): void {
    this.alarm = undefined;
    this.alarmKeepsAlive = false;
    const now = this.clock.now();
    for (let next = this.heap[0]; next !== undefined && next.due <= now; next = this.heap[0]) {
      this.remove(next);
      next.ring();
    }
    this.arm();
  }

  private arm(): void {
    const first = this.heap[0];
    if (first !== undefined && !(this.alarm !== undefined && this.alarm.due <= first.due)) {
      this.alarm?.cancel();
      this.alarm = { ...this.alarmAt(first.due), due: first.due };
      this.alarmKeepsAlive = true;
    }
    const keepAlive = this.mayKeepAlive && this.keepingAlive > 0;
    if (this.alarmKeepsAlive === keepAlive) return;
    this.alarmKeepsAlive = keepAlive;
    this.alarm?.keepAlive(keepAlive);
  }

  /** A delay that was reckoned before the process was stopped, and begins after it, would end so much too late. */
  private alarmAt(due: number): Alarm {
    for (;;) {
      const before = this.clock.now();
      const alarm = this.clock.alarm(due - before, () => this.detached(() => this.ringAllDue()));
      if (this.clock.now() - before < STOPPED_MS) return alarm;
      alarm.cancel();
    }
  }

  private remove(timer: Timer): void {
    const last = this.heap.pop()!;
    if (last !== timer) {
      this.place(last, timer.index);
      this.siftUp(last);
      this.siftDown(last);
    }
    timer.index = -1;
    if (timer.keepAlive) this.keepingAlive -= 1;
  }

  private siftUp(timer: Timer): void {
    while (timer.index > 0) {
      const parent = this.heap[(timer.index - 1) >> 1]!;
      if (parent.due <= timer.due) return;
      this.swap(parent, timer);
    }
  }

  private siftDown(timer: Timer): void {
    for (;;) {
      const left = this.heap[2 * timer.index + 1];
      const right = this.heap[2 * timer.index + 2];
      const child = right !== undefined && right.due < left!.due ? right : left;
      if (child === undefined || timer.due <= child.due) return;
      this.swap(timer, child);
    }
  }

  private swap(a: Timer, b: Timer): void {
    const index = a.index;
    this.place(a, b.index);
    this.place(b, index);
  }

  private place(timer: Timer, index: number): void {
    this.heap[index] = timer;
    timer.index = index;
  }
}
