import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  type DynamicModule,
  Get,
  type INestApplication,
  Module,
  type ModuleMetadata,
} from '@nestjs/common';
import { type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Locked, LockLostError, LockModule, LockService } from 'nestjs-locked';
import { TestingBackend } from 'nestjs-locked/testing';
import { Balances } from '../../sample/00-readme/balances.js';
import { answeringModule, explain } from '../../sample/00-readme/errors.js';
import { announce, type Database, publish } from '../../sample/00-readme/fencing.js';
import { CartController } from '../../sample/00-readme/interceptor.js';
import { Shop } from '../../sample/00-readme/locked.js';
import { AppModule, Reports } from '../../sample/00-readme/modules.js';
import { StoredWalletModule } from '../../sample/00-readme/postgres.js';
import { WalletModule, Wallets } from '../../sample/00-readme/quick-start.js';
import { SharedWalletModule } from '../../sample/00-readme/redis.js';
import { Transfers } from '../../sample/00-readme/service.js';
import { refusesWhileBusy, walletsUnderTest, walletsWithoutLocks } from '../../sample/00-readme/unit-test.js';
import { startPostgres } from '../support/postgres-server.js';
import { ConsensusWalletModule } from '../../sample/00-readme/zookeeper.js';
import { someRedis } from '../support/redis-installed.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { startZooKeeperServer } from '../support/zookeeper-server.js';

/** Every file that the README is cut from does what the README says. */
describe('the code of the README', () => {
  it('quick start: no deposit is lost', async () => {
    await within(WalletModule, async (app) => {
      const deposits = Array.from({ length: 20 }, () => app.get(Wallets).deposit('ann', 5));
      await Promise.all(deposits);
      expect(await app.get(Balances).read('ann')).toBe(100);
    });
  });

  it('Redis: nor is one over two applications', async () => {
    const redis = await someRedis();
    process.env['REDIS_URL'] = redis.url;
    try {
      await keepsOutAnother(SharedWalletModule);
    } finally {
      await redis.stop();
    }
  });

  it('PostgreSQL: nor there, and nothing is left of the locks', async () => {
    const postgres = await startPostgres();
    process.env['DATABASE_URL'] = postgres.url;
    try {
      await keepsOutAnother(StoredWalletModule);
      const { rows } = await postgres.admin.query('SELECT * FROM nestjs_locks');
      expect(rows).toEqual([]);
    } finally {
      await postgres.stop();
    }
  });

  describeOnZooKeeper('ZooKeeper', () => {
    it('nor is one over two applications', async () => {
      const server = await startZooKeeperServer();
      process.env['ZOOKEEPER_CONNECT'] = server.connect;
      try {
        await keepsOutAnother(ConsensusWalletModule);
      } finally {
        await server.stop();
      }
    });
  });

  it('unit test: with locks that a test makes busy, and without any', async () => {
    const wallets = await walletsUnderTest(new TestingBackend());
    await wallets.deposit('ann', 1);
    expect(await refusesWhileBusy()).toBe('LockUnavailableError');

    const balances = new Balances();
    const unlocked = walletsWithoutLocks(balances);
    await Promise.all([unlocked.deposit('ann', 1), unlocked.deposit('ann', 1)]);
    expect(await balances.read('ann')).toBe(1); // one of the two is lost, as the README says
  });

  it('decorator: keys by argument and instance, the current lock, and one of two runs skipped', async () => {
    await within(withLocks({ providers: [Shop] }), async (app) => {
      const shop = app.get(Shop);
      await shop.rebuildCatalogue();
      await Promise.all([shop.ship({ id: '7' }), shop.move('a', 'b'), shop.move('b', 'a')]);
      expect(shop.done.toSorted()).toEqual(['7 under order:7', 'a → b', 'b → a', 'catalogue']);
      expect(await Promise.all([shop.report(), shop.report()])).toEqual(['reported', undefined]);
    });
  });

  it('service: opposite transfers neither lose money nor wait for each other; readers share', async () => {
    await within(withLocks({ providers: [Transfers, Balances] }), async (app) => {
      const [transfers, balances] = [app.get(Transfers), app.get(Balances)];
      await balances.write('ann', 100);
      const there = Array.from({ length: 10 }, () => transfers.transfer('ann', 'ben', 3));
      const back = Array.from({ length: 10 }, () => transfers.transfer('ben', 'ann', 1));
      await Promise.all([...there, ...back]);
      expect(await Promise.all([transfers.audit('ann'), transfers.audit('ben')])).toEqual([80, 20]);

      const audits = await Promise.all(Array.from({ length: 11 }, () => transfers.tryAudit('ann')));
      expect(audits.toSorted()).toEqual([...Array.from({ length: 10 }, () => 80), null]);
    });
  });

  it('interceptor: one request of a user at a time', async () => {
    await within(withLocks({ controllers: [CartController], providers: [Balances] }), async (app) => {
      const url = `${await app.getUrl()}/cart/items`;
      const add = async (): Promise<unknown> =>
        (await fetch(url, { method: 'POST', headers: { 'x-user': 'ann' } })).json();
      const counts = await Promise.all([add(), add(), add(), add(), add()]);
      expect(counts.toSorted()).toEqual([1, 2, 3, 4, 5]);
    });
  });

  it('modules: two of them, each with its own locks and defaults', async () => {
    await within(AppModule, async (app) => {
      const reports = app.get(Reports);
      await app.get(LockService).run('monthly', async () => {
        expect(await reports.monthly()).toBe(true);
      });
    });
  });

  it('fencing: who comes late, with an older token, is refused', async () => {
    await within(withLocks(), async (app) => {
      const bodies: unknown[] = [];
      let fence = 0n;
      const db: Database = {
        query: async (_sql, [body, token]) => {
          if (fence > (token as bigint)) return { rowCount: 0 };
          fence = token as bigint;
          bodies.push(body);
          return { rowCount: 1 };
        },
      };
      const locks = app.get(LockService);
      await publish(locks, db, 'a', 'first');
      await publish(locks, db, 'a', 'second');
      fence = 2n ** 63n - 1n;
      await expect(publish(locks, db, 'a', 'late')).rejects.toThrow('under a newer lock');
      expect(bodies).toEqual(['first', 'second']);
    });
  });

  it('signal: what was given it stops when the lock is lost', async () => {
    await using silent = await serverThatNeverAnswers();
    await within(withLocks(), async (app) => {
      const announced = announce(app.get(LockService), silent.url);
      await silent.asked;
      await Promise.all([expect(announced).rejects.toBeInstanceOf(LockLostError), app.close()]);
    });
  });

  it('errors: are told apart by class, and those of the body are thrown on', async () => {
    await within(withLocks(), async (app) => {
      const locks = app.get(LockService);
      const failure = async (run: Promise<unknown>): Promise<unknown> => run.catch((error: unknown) => error);
      const held = await locks.acquire('a');
      expect(explain(await failure(locks.run('a', { waitMs: 1 }, () => 1)))).toMatch(/^busy: 1 ahead after \d/);
      await held.release();
      const lost = await failure(locks.run('a', { maxHoldMs: 1 }, () => sleep(50)));
      expect(explain(lost)).toBe('it may have run, and not alone: max-hold');
      await app.close();
      const closed = await failure(locks.run('a', () => 1));
      expect(explain(closed)).toBe('it did not run, and nobody knows who holds a');
      const own = new Error('of the body');
      expect(() => explain(own)).toThrow(own);
    });
  });

  it('errors: the answer to a client can be changed', async () => {
    @Controller()
    class Busy {
      @Get()
      @Locked('a', { waitMs: 0 })
      async get(): Promise<void> {}
    }
    @Module({ imports: answeringModule, controllers: [Busy] })
    class BusyModule {}
    await within(BusyModule, async (app) => {
      await app.get(LockService).acquire('a');
      expect((await fetch(await app.getUrl())).status).toBe(409);
    });
  });
});

/** Two applications, as two processes would be. */
async function keepsOutAnother(module: Type): Promise<void> {
  await within(module, (app) =>
    within(module, async (other) => {
      const lock = await app.get(LockService).acquire('wallet:ann');
      expect(await other.get(LockService).tryAcquire('wallet:ann')).toBeNull();
      await lock.release();
      await Promise.all([app, other].map((each) => each.get(Wallets).deposit('ann', 5)));
      // One that is held when the application closes is released before its connections are.
      await other.get(LockService).acquire('wallet:ben');
    }),
  );
}

function withLocks(metadata: ModuleMetadata = {}): DynamicModule {
  class ReadmeModule {}
  return { module: ReadmeModule, ...metadata, imports: [LockModule.forRoot({ drainMs: 20 })] };
}

async function within(module: Type | DynamicModule, body: (app: INestApplication) => Promise<void>): Promise<void> {
  const app = await NestFactory.create<INestApplication>(module, { logger: ['error'] });
  try {
    await app.listen(0, '127.0.0.1');
    await body(app);
  } finally {
    await app.close();
  }
}

async function serverThatNeverAnswers(): Promise<{ url: string; asked: Promise<unknown> } & AsyncDisposable> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked: once(server, 'request'),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
