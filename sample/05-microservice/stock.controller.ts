import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Locked } from 'nestjs-locked';
import { Stock } from './stock.js';

export interface Pieces {
  readonly item: string;
  readonly pieces: number;
}

const stockOf = ({ item }: Pieces): string => `stock:${item}`;

/** Whoever changes the stock of an item is alone with it, over both handlers and all replicas. */
@Controller()
export class StockController {
  constructor(private readonly stock: Stock) {}

  /** Resolves to whether there were enough. */
  @MessagePattern('reserve')
  @Locked(stockOf)
  async reserve(@Payload() { item, pieces }: Pieces): Promise<boolean> {
    const there = await this.stock.read(item);
    if (there < pieces) return false;
    await this.stock.write(item, there - pieces);
    return true;
  }

  @EventPattern('delivered')
  @Locked(stockOf)
  async delivered(@Payload() { item, pieces }: Pieces): Promise<void> {
    await this.stock.write(item, (await this.stock.read(item)) + pieces);
  }

  @MessagePattern('count')
  count(@Payload() item: string): Promise<number> {
    return this.stock.read(item);
  }
}
