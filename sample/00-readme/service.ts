import { Injectable } from '@nestjs/common';
import { LockService } from 'nestjs-locked';
import { Balances } from './balances.js';

@Injectable()
export class Transfers {
  constructor(
    private readonly locks: LockService,
    private readonly balances: Balances,
  ) {}

  // #region run
  async transfer(from: string, to: string, amount: number): Promise<void> {
    if (from === to) throw new Error('a transfer needs two wallets');
    await this.locks.run([`wallet:${from}`, `wallet:${to}`], { waitMs: 5_000 }, async (lock) => {
      const [giver, taker] = [await this.balances.read(from), await this.balances.read(to)];
      lock.assertHeld(); // throws LockLostError if the lock is lost: the last moment to stop
      await this.balances.write(from, giver - amount);
      await this.balances.write(to, taker + amount);
    });
  }
  // #endregion

  // #region acquire
  async audit(wallet: string): Promise<number> {
    await using lock = await this.locks.acquire(`wallet:${wallet}`, { mode: 'shared' }); // with other readers, with no writer
    const balance = await this.balances.read(wallet);
    lock.assertHeld();
    return balance;
  } // released here

  async tryAudit(wallet: string): Promise<number | null> {
    const lock = await this.locks.tryAcquire('audits', { mode: { limit: 10 } }); // ten at a time, over all wallets
    if (lock === null) return null;
    try {
      return await this.balances.read(wallet);
    } finally {
      await lock.release();
    }
  }
  // #endregion
}
