import { Args, Int, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Locked } from 'nestjs-locked';
import { Auction, Auctions } from './auction.js';
import { Expert } from './expert.js';

@Resolver(() => Auction)
export class AuctionsResolver {
  private readonly estimates = new Map<string, number>();

  constructor(
    private readonly auctions: Auctions,
    private readonly expert: Expert,
  ) {}

  @Query(() => Auction)
  auction(@Args('id') id: string): Promise<Auction> {
    return this.auctions.read(id);
  }

  /** Of bids at the same time every one counts. */
  @Mutation(() => Auction)
  @Locked((id: string) => `auction:${id}`)
  async bid(@Args('id') id: string, @Args('more', { type: () => Int }) more: number): Promise<Auction> {
    const { price, bids } = await this.auctions.read(id);
    const raised = new Auction(id, price + more, bids + 1);
    await this.auctions.write(raised);
    return raised;
  }

  /** The expert is asked once, by whoever comes first. The others wait, and find what was answered. */
  @ResolveField(() => Int)
  @Locked((auction: Auction) => `estimate:${auction.id}`)
  async estimate(@Parent() { id }: Auction): Promise<number> {
    const estimate = this.estimates.get(id) ?? (await this.expert.estimate(id));
    this.estimates.set(id, estimate);
    return estimate;
  }

  @Query(() => Int)
  questionsToExpert(): number {
    return this.expert.questions;
  }
}
