import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, NotFoundException } from '@nestjs/common';

/**
 * The seats of each event and who has them, as in a database without transactions: a read and a write are a round trip
 * each, and between the two anybody else may come.
 */
@Injectable()
export class SeatStore {
  /** For each event its seats in order, each with its buyer or null. */
  private readonly events = new Map<string, (string | null)[]>();

  async putOnSale(event: string, seats: number): Promise<void> {
    await roundTrip();
    this.events.set(
      event,
      Array.from({ length: seats }, () => null),
    );
  }

  async findFree(event: string): Promise<number[]> {
    await roundTrip();
    return this.seatsOf(event).flatMap((buyer, seat) => (buyer === null ? [seat] : []));
  }

  async assign(event: string, seat: number, buyer: string): Promise<void> {
    await roundTrip();
    this.seatsOf(event)[seat] = buyer;
  }

  private seatsOf(event: string): (string | null)[] {
    const seats = this.events.get(event);
    if (seats === undefined) throw new NotFoundException(`no event ${event} is on sale`);
    return seats;
  }
}

function roundTrip(): Promise<void> {
  return sleep(1 + Math.random() * 2);
}
