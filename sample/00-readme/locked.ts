import { Injectable } from '@nestjs/common';
import { Locked, LockService } from 'nestjs-locked';

export interface Order {
  readonly id: string;
}

@Injectable()
export class Shop {
  readonly id = 'main-street';
  readonly done: string[] = [];

  // #region locked
  @Locked('catalogue')
  async rebuildCatalogue(): Promise<void> {
    this.done.push('catalogue');
  }

  // The arguments of the method, type-checked. `waitMs` and other options: see the tables below.
  @Locked((order: Order) => `order:${order.id}`, { waitMs: 2_000 })
  async ship(order: Order): Promise<void> {
    const lock = LockService.current(); // the lock that this call runs under
    this.done.push(`${order.id} under ${lock?.key}`);
  }

  // Several keys are one lock: taken in sorted order, so that two callers never wait for each other.
  @Locked(function (this: Shop, from: string, to: string) {
    return [`${this.id}:shelf:${from}`, `${this.id}:shelf:${to}`];
  })
  async move(from: string, to: string): Promise<void> {
    this.done.push(`${from} → ${to}`);
  }

  // For a job that is started several times and to be done once: the others return undefined at once.
  @Locked('nightly-report', { onBusy: 'skip', minHoldMs: 30_000 })
  async report(): Promise<string | undefined> {
    return 'reported';
  }
  // #endregion
}
