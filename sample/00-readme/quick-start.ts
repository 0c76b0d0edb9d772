// #region quick-start
import { Injectable, Module } from '@nestjs/common';
import { Locked, LockModule } from 'nestjs-locked';
import { Balances } from './balances.js';

@Injectable()
export class Wallets {
  constructor(private readonly balances: Balances) {}

  @Locked((wallet: string) => `wallet:${wallet}`)
  async deposit(wallet: string, amount: number): Promise<void> {
    const balance = await this.balances.read(wallet); // nobody else is between here
    await this.balances.write(wallet, balance + amount); // and here for this wallet
  }
}

@Module({ imports: [LockModule.forRoot()], providers: [Wallets, Balances] })
export class WalletModule {}
// #endregion
