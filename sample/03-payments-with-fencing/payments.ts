import { ConflictException, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Locked, LockService } from 'nestjs-locked';
import { Pool } from 'pg';
import { RiskCheck } from './risk-check.js';

/**
 * A payment reads the balance, has somebody else look at it, which takes as long as it takes, and writes what is left: too
 * long for a transaction, so a lock keeps others off the account. But a lock ends when its process stands still for
 * longer than the lease, and the process does not know until it has gone on. So the row remembers the largest fencing
 * token that wrote it, and PostgreSQL refuses whoever comes with a smaller one.
 */
@Injectable()
export class Payments implements OnModuleInit {
  constructor(
    @Inject(Pool) private readonly database: Pool,
    private readonly riskCheck: RiskCheck,
  ) {}

  // Replicas start together, and CREATE TABLE IF NOT EXISTS is not for two at once.
  @Locked('schema')
  async onModuleInit(): Promise<void> {
    await this.database.query(
      `CREATE TABLE IF NOT EXISTS account
         (id text PRIMARY KEY, balance integer NOT NULL, fence bigint NOT NULL DEFAULT 0)`,
    );
  }

  @Locked((account: string) => `account:${account}`)
  async open(account: string, balance: number): Promise<void> {
    await this.database.query('INSERT INTO account (id, balance) VALUES ($1, $2)', [account, balance]);
  }

  /** Resolves to what is left. */
  @Locked((account: string) => `account:${account}`)
  async pay(account: string, amount: number): Promise<number> {
    const left = (await this.balanceOf(account)) - amount;
    if (left < 0) throw new ConflictException(`There is too little in ${account}`);
    await this.riskCheck.approve(account, amount);

    const { fencingToken } = LockService.current()!;
    const { rowCount } = await this.database.query(
      'UPDATE account SET balance = $1, fence = $2 WHERE id = $3 AND fence <= $2',
      [left, fencingToken, account],
    );
    if (rowCount === 0) throw new ConflictException(`Somebody else paid from ${account} meanwhile. Nothing was paid.`);
    return left;
  }

  async balanceOf(account: string): Promise<number> {
    const sql = 'SELECT balance FROM account WHERE id = $1';
    const { rows } = await this.database.query<{ balance: number }>(sql, [account]);
    if (rows[0] === undefined) throw new ConflictException(`There is no account ${account}`);
    return rows[0].balance;
  }
}
