import { Body, Controller, Get, Param, ParseIntPipe, Post, Put } from '@nestjs/common';
import { Payments } from './payments.js';

@Controller('accounts/:account')
export class PaymentsController {
  constructor(private readonly payments: Payments) {}

  @Put()
  open(@Param('account') account: string, @Body('balance', ParseIntPipe) balance: number): Promise<void> {
    return this.payments.open(account, balance);
  }

  @Get()
  async look(@Param('account') account: string): Promise<{ balance: number }> {
    return { balance: await this.payments.balanceOf(account) };
  }

  @Post('payments')
  async pay(
    @Param('account') account: string,
    @Body('amount', ParseIntPipe) amount: number,
  ): Promise<{ left: number }> {
    return { left: await this.payments.pay(account, amount) };
  }
}
