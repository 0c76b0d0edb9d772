import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { BoxOfficeController } from './box-office.controller.js';
import { BoxOffice } from './box-office.service.js';
import { SeatStore } from './seat.store.js';

@Module({
  imports: [LockModule.forRoot()],
  controllers: [BoxOfficeController],
  providers: [BoxOffice, SeatStore],
})
export class TicketSaleModule {}
