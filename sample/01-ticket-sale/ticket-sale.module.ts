import { type DynamicModule, Module } from '@nestjs/common';
import { type LockBackend, LockLostError, LockModule, LockUnavailableError } from 'nestjs-locked';
import { LockDashboardModule } from 'nestjs-locked/dashboard';
import { BoxOfficeController } from './box-office.controller.js';
import { BoxOffice } from './box-office.service.js';
import { type DistantSeats } from './distant-seats.js';
import { SeatStore } from './seat.store.js';

export interface Sale {
  /** Where the locks live. In this process, if nothing is said. */
  readonly backend?: LockBackend;
  /** Where the seats live. In this process, if nothing is said. */
  readonly seats?: SeatStore | DistantSeats;
}

@Module({})
export class TicketSaleModule {
  static with({ backend, seats = new SeatStore() }: Sale = {}): DynamicModule {
    return {
      module: TicketSaleModule,
      imports: [
        LockModule.forRoot({
          ...(backend && { backend }),
          // Nobody who keeps a seat for long is to keep the application up after Ctrl+C.
          drainMs: 2_000,
          // Whoever has its lock taken away on the page is told so.
          answerError: (error, usual) => ({ ...usual, details: { reason: reasonOf(error) } }),
        }),
        // Nobody but this machine reaches it: see listen().
        LockDashboardModule.forRoot({ path: '/locks', insecure: true }),
      ],
      controllers: [BoxOfficeController],
      providers: [BoxOffice, { provide: SeatStore, useValue: seats }],
    };
  }
}

function reasonOf(error: unknown): string | undefined {
  return error instanceof LockLostError || error instanceof LockUnavailableError ? error.reason : undefined;
}
