import { Injectable } from '@nestjs/common';
import { LockService } from 'nestjs-locked';

/** How often each event happened, counted by hand: what the metrics have to agree with. */
@Injectable()
export class Tally {
  readonly counts: Record<string, number> = {};

  constructor(locks: LockService) {
    locks.subscribe(({ type }) => (this.counts[type] = (this.counts[type] ?? 0) + 1));
  }
}
