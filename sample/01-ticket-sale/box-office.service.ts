import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictException, Injectable } from '@nestjs/common';
import { Locked, LockService } from 'nestjs-locked';
import { SeatStore } from './seat.store.js';

export interface Ticket {
  readonly event: string;
  readonly seat: number;
  readonly buyer: string;
}

/** Both ways to sell run the same code. The decorator is the only difference. */
@Injectable()
export class BoxOffice {
  constructor(private readonly seats: SeatStore) {}

  sellUnlocked(event: string, buyer: string): Promise<Ticket> {
    return this.sell(event, buyer);
  }

  // A buyer wants any free seat, so it is the event that one buyer at a time must have to itself.
  @Locked((event: string) => `event:${event}`, { waitMs: 10_000 })
  sellLocked(event: string, buyer: string): Promise<Ticket> {
    return this.sell(event, buyer);
  }

  /** A buyer has a seat to itself while it thinks about it; unless it leaves, or the seat is taken away. */
  @Locked((event: string, seat: number) => `event:${event}:seat:${seat}`, {
    waitMs: 15_000,
    signal: (_event: string, _seat: number, _buyer: string, _forMs: number, left: AbortSignal) => left,
  })
  async keepSeat(event: string, seat: number, buyer: string, forMs: number, left: AbortSignal): Promise<Ticket> {
    const signal = AbortSignal.any([left, LockService.current()!.signal]);
    await sleep(forMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    return { event, seat, buyer };
  }

  private async sell(event: string, buyer: string): Promise<Ticket> {
    const free = await this.seats.findFree(event);
    // Not always the first, so that buyers get in each other's way as little as possible.
    const seat = free[Math.floor(Math.random() * free.length)];
    if (seat === undefined) throw new ConflictException(`${event} is sold out`);
    await this.seats.assign(event, seat, buyer);
    return { event, seat, buyer };
  }
}
