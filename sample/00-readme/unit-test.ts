import { Balances } from './balances.js';
import { Wallets } from './quick-start.js';
// #region unit-test
import { Test } from '@nestjs/testing';
import { LockModule } from 'nestjs-locked';
import { giveLocks, TestingBackend, UnlockedLockService } from 'nestjs-locked/testing';

/** Real locks, in memory, that the test can make busy, lose, let expire and look at. */
export async function walletsUnderTest(backend: TestingBackend): Promise<Wallets> {
  const imports = [LockModule.forRoot({ backend, waitMs: 0 })];
  const module = await Test.createTestingModule({ imports, providers: [Wallets, Balances] }).compile();
  return module.get(Wallets);
}

export async function refusesWhileBusy(): Promise<string> {
  const backend = new TestingBackend();
  const wallets = await walletsUnderTest(backend);
  await using _ = await backend.busy('wallet:ann'); // backend.lose(key), backend.expire(key), backend.heldKeys()
  return wallets.deposit('ann', 5).then(
    () => 'deposited',
    (error: Error) => error.name,
  );
}

/** No locks at all, and no Nest: by this name only, and not where NODE_ENV is production. */
export function walletsWithoutLocks(balances: Balances): Wallets {
  return giveLocks(new Wallets(balances), new UnlockedLockService());
}
// #endregion
