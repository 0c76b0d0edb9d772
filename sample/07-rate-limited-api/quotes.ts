import { BadGatewayException, Injectable } from '@nestjs/common';
import { Locked } from 'nestjs-locked';

/** What a partner says something costs. The partner, at PARTNER_URL, lets us ask for three things at a time. */
@Injectable()
export class Quotes {
  /** Three at a time over all replicas, in the order in which they came. Who waits for too long is told so: 423. */
  @Locked('partner', { mode: { limit: 3 }, waitMs: 5_000 })
  async priceOf(symbol: string): Promise<number> {
    const response = await fetch(`${process.env['PARTNER_URL']}/${symbol}`);
    if (!response.ok) throw new BadGatewayException(`The partner answers ${response.status}`);
    return Number(await response.text());
  }
}
