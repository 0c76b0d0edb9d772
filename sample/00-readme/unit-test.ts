import { Balances } from './balances.js';
import { Wallets } from './quick-start.js';
// #region unit-test
import { Test } from '@nestjs/testing';
import { LockModule } from 'nestjs-locked';

export async function walletsUnderTest(): Promise<Wallets> {
  const providers = [Wallets, Balances];
  const module = await Test.createTestingModule({ imports: [LockModule.forRoot()], providers }).compile();
  return module.get(Wallets);
}
// #endregion
