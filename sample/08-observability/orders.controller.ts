import { Controller, Get, Param, ParseIntPipe, Post, Query } from '@nestjs/common';
import { Orders } from './orders.js';
import { Tally } from './tally.js';

@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: Orders,
    private readonly tally: Tally,
  ) {}

  @Post(':id/shipment')
  ship(@Param('id') id: string, @Query('ms') ms = '500'): Promise<{ shipped: string }> {
    return this.orders.ship(id, Number(ms));
  }

  @Post('labels/:count')
  async label(@Param('count', ParseIntPipe) count: number): Promise<void> {
    const ids = Array.from({ length: count }, (_, id) => id);
    const next = async (): Promise<void> => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) await this.orders.label(id);
    };
    await Promise.all(Array.from({ length: 50 }, next));
  }

  @Get('tally')
  counted(): Record<string, number> {
    return this.tally.counts;
  }
}
