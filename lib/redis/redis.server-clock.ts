import { type Clock } from '../core/clock.js';

/**
 * What the server's clock surely does not exceed now, from the stamps on its replies: it read its clock after the
 * question was sent, so no more time has passed on it since than on ours since the sending.
 */
export class ServerClock {
  private stampMicros: number | undefined;
  private sentAt = 0;

  constructor(private readonly clock: Clock) {}

  learn(stampMicros: number, sentAt: number): void {
    this.stampMicros = stampMicros;
    this.sentAt = sentAt;
  }

  /** The latest instant, in µs of the server's clock, at which something sent now may still be done. 0: not known. */
  notAfter(withinMs: number): number {
    if (this.stampMicros === undefined) return 0;
    return Math.ceil(this.stampMicros + (this.clock.now() - this.sentAt + withinMs) * 1_000);
  }
}
