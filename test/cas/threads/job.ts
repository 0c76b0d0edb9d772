/** What a thread is to do. */
export interface Job {
  readonly buffer: SharedArrayBuffer;
  readonly results: SharedArrayBuffer;
  readonly thread: number;
  /** How many of the thread want the lock at a time. */
  readonly callers: number;
  readonly localHandOffs: number;
  readonly leaseMs: number;
  /** Of the epoch. */
  readonly untilMs: number;
  /** At most. */
  readonly sections: number;
  /** Takes the lock, and goes to sleep with it. */
  readonly die?: boolean;
}
