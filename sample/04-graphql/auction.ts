import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, NotFoundException } from '@nestjs/common';
import { Field, Int, ObjectType } from '@nestjs/graphql';

@ObjectType()
export class Auction {
  @Field()
  readonly id: string;
  @Field(() => Int)
  readonly price: number;
  @Field(() => Int)
  readonly bids: number;

  constructor(id: string, price: number, bids: number) {
    [this.id, this.price, this.bids] = [id, price, bids];
  }
}

/** Stands for a table of your database: a read and a write are a round trip each. */
@Injectable()
export class Auctions {
  private readonly rows = new Map([['vase', new Auction('vase', 100, 0)]]);

  async read(id: string): Promise<Auction> {
    await sleep(1);
    const auction = this.rows.get(id);
    if (auction === undefined) throw new NotFoundException(`Nobody sells a ${id}`);
    return auction;
  }

  async write(auction: Auction): Promise<void> {
    await sleep(1);
    this.rows.set(auction.id, auction);
  }
}
