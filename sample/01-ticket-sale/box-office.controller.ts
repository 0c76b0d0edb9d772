import { type ServerResponse } from 'node:http';
import { Body, Controller, Get, HttpException, Param, ParseIntPipe, Post, Put, Res } from '@nestjs/common';
import { BoxOffice, type Ticket } from './box-office.service.js';
import { SeatStore } from './seat.store.js';

@Controller('events/:event')
export class BoxOfficeController {
  constructor(
    private readonly office: BoxOffice,
    private readonly seats: SeatStore,
  ) {}

  @Put()
  putOnSale(@Param('event') event: string, @Body('seats', ParseIntPipe) seats: number): Promise<void> {
    return this.seats.putOnSale(event, seats);
  }

  @Get()
  async look(@Param('event') event: string): Promise<{ free: number }> {
    return { free: (await this.seats.findFree(event)).length };
  }

  @Post('seats/:seat')
  keepSeat(
    @Param('event') event: string,
    @Param('seat', ParseIntPipe) seat: number,
    @Body('forMs', ParseIntPipe) forMs: number,
    @Body('buyer') buyer = 'anonymous',
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<Ticket> {
    const left = new AbortController();
    // As nginx calls it.
    response.once('close', () => left.abort(new HttpException('The buyer has left', 499)));
    return this.office.keepSeat(event, seat, buyer, forMs, left.signal);
  }

  @Post('tickets/unlocked')
  buyUnlocked(@Param('event') event: string, @Body('buyer') buyer = 'anonymous'): Promise<Ticket> {
    return this.office.sellUnlocked(event, buyer);
  }

  @Post('tickets/locked')
  buyLocked(@Param('event') event: string, @Body('buyer') buyer = 'anonymous'): Promise<Ticket> {
    return this.office.sellLocked(event, buyer);
  }
}
