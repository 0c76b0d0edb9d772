import { Controller, Get, Param } from '@nestjs/common';
import { Quotes } from './quotes.js';

@Controller('quotes')
export class QuotesController {
  constructor(private readonly quotes: Quotes) {}

  @Get(':symbol')
  async quote(@Param('symbol') symbol: string): Promise<{ symbol: string; price: number }> {
    return { symbol, price: await this.quotes.priceOf(symbol) };
  }
}
