// #region balances
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Stands for a table of your database. */
@Injectable()
export class Balances {
  private readonly rows = new Map<string, number>();

  async read(name: string): Promise<number> {
    await sleep(1);
    return this.rows.get(name) ?? 0;
  }

  async write(name: string, balance: number): Promise<void> {
    await sleep(1);
    this.rows.set(name, balance);
  }
}
// #endregion
