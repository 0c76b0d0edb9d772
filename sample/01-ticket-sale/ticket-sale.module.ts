import { type DynamicModule, Module } from '@nestjs/common';
import { type LockBackend, LockModule } from 'nestjs-locked';
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
      imports: [LockModule.forRoot(backend && { backend })],
      controllers: [BoxOfficeController],
      providers: [BoxOffice, { provide: SeatStore, useValue: seats }],
    };
  }
}
