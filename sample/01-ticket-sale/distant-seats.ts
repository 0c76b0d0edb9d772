import { type ChildProcess } from 'node:child_process';
import { NotFoundException } from '@nestjs/common';
import { type SeatStore } from './seat.store.js';

type Seats = Pick<SeatStore, 'putOnSale' | 'findFree' | 'assign'>;

interface Question {
  readonly number: number;
  readonly method: keyof Seats;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The seats as a process sees them that does not have them: a message there and one back. */
export class DistantSeats implements Seats {
  private readonly open = new Map<number, (answer: Answer) => void>();
  private asked = 0;

  constructor() {
    process.on('message', (answer: Answer) => {
      this.open.get(answer.number)?.(answer);
      this.open.delete(answer.number);
    });
  }

  putOnSale(event: string, seats: number): Promise<void> {
    return this.ask('putOnSale', event, seats);
  }

  findFree(event: string): Promise<number[]> {
    return this.ask('findFree', event);
  }

  assign(event: string, seat: number, buyer: string): Promise<void> {
    return this.ask('assign', event, seat, buyer);
  }

  private ask<T>(method: keyof Seats, ...args: unknown[]): Promise<T> {
    const number = (this.asked += 1);
    process.send!({ number, method, args } satisfies Question);
    return new Promise((resolve, reject) => {
      this.open.set(number, ({ value, error }) => {
        if (error === undefined) resolve(value as T);
        else reject(new NotFoundException(error));
      });
    });
  }
}

/** Answers what the DistantSeats of a child ask. */
export function shareSeats(seats: Seats, child: ChildProcess): void {
  child.on('message', ({ number, method, args }: Partial<Question>) => {
    if (number === undefined || method === undefined || args === undefined) return;
    const answer = (answered: Omit<Answer, 'number'>): void => {
      if (child.connected) child.send({ number, ...answered } satisfies Answer);
    };
    const call = seats[method] as (...all: readonly unknown[]) => Promise<unknown>;
    call.apply(seats, [...args]).then(
      (value) => answer({ value }),
      (error: Error) => answer({ error: error.message }),
    );
  });
}
