import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CanActivate, Controller, Get, Inject, Injectable, type Type, UseGuards } from '@nestjs/common';
import { ModuleRef, REQUEST } from '@nestjs/core';
import { LockConfigError, Locked, type LockedOptions, LockModule } from 'nestjs-locked';
import { create, errorOf, Log, start } from './apps.js';

/** The lines of the one error with which an application refuses to start. */
async function problems(metadata: Parameters<typeof create>[0], log?: Log): Promise<string[]> {
  const error = await errorOf((await create(withLocks(metadata), log)).init());
  expect(error).toBeInstanceOf(LockConfigError);
  return (error as Error).message.split('\n');
}

/** The lines of what an application that starts warns of. */
async function warnings(metadata: Parameters<typeof create>[0]): Promise<string[]> {
  const log = new Log();
  await start(withLocks(metadata), log);
  const told = log.warnings.filter((warning) => warning.startsWith('[LockModule] '));
  expect(told.length).toBeLessThanOrEqual(1);
  return told.flatMap((warning) => warning.slice('[LockModule] '.length).split('\n'));
}

function withLocks(metadata: Parameters<typeof create>[0]): Parameters<typeof create>[0] {
  return { ...metadata, imports: [LockModule.forRoot(), ...(metadata.imports ?? [])] };
}

function lockedWith(key: string | readonly string[], options: LockedOptions): Type<{ ship(): Promise<void> }> {
  @Injectable()
  class Orders {
    @Locked(key, options)
    async ship(): Promise<void> {}
  }
  return Orders;
}

// What one test defined, and no application has seen, would be warned of in the next.
beforeEach(() => start(withLocks({})));

describe('a key or an option that cannot be', () => {
  const cases: [key: string | string[], options: LockedOptions][] = [
    ['', {}],
    [[], {}],
    [['a', ''], {}],
    ['\ud800', {}],
    ['a'.repeat(1025), {}],
    [undefined as unknown as string, {}],
    ['key', { waitMs: -1 }],
    ['key', { waitMs: Number.NaN }],
    ['key', { waitMs: '5' as unknown as number }],
    ['key', { leaseMs: 99 }],
    ['key', { leaseMs: Infinity }],
    ['key', { maxHoldMs: 0 }],
    ['key', { minHoldMs: 2, maxHoldMs: 1 }],
    ['key', { mode: { limit: 0 } }],
    ['key', { signal: {} as AbortSignal }],
    ['key', { onLost: 'ignored' as 'ignore' }],
    ['key', { service: '' }],
    ['key', { onBusy: 'ignore' as unknown as 'skip' }],
    ['key', null as unknown as LockedOptions],
  ];

  it.each(cases)('is refused at start-up, by name: the key %p with the options %p', async (key, options) => {
    const found = await problems({ providers: [lockedWith(key, options)] });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^Orders\.ship: /);
  });

  it.each(cases)('never runs, whoever built the instance: the key %p with the options %p', async (key, options) => {
    const error = await errorOf(new (lockedWith(key, options))().ship());
    expect(error).toBeInstanceOf(LockConfigError);
    expect((error as Error).message).toMatch(/^Orders\.ship: /);
  });
});

describe('everything that is wrong', () => {
  it('is told in one message', async () => {
    @Injectable()
    class Orders {
      @Locked('order', { leaseMs: 1, waitMs: -1 })
      async ship(): Promise<void> {}

      @Locked('order', { minHoldMs: 2_000, maxHoldMs: 1_000 })
      async bill(): Promise<void> {}

      @Locked('order', { service: 'nowhere' })
      async pack(): Promise<void> {}
    }

    @Controller()
    class Reports {
      @Locked('')
      async monthly(): Promise<void> {}
    }

    class Wallets {
      @Locked('wallet')
      async deposit(): Promise<void> {}
    }

    const found = await problems({
      imports: [LockModule.forRoot()],
      controllers: [Reports],
      providers: [Orders, { provide: 'WALLETS', useFactory: () => new Wallets() }],
    });
    expect(found.toSorted()).toEqual([
      expect.stringMatching(/^LockModule 'default' is imported twice/),
      expect.stringMatching(/^Orders\.bill: minHoldMs .* at most maxHoldMs, which is 1000, not 2000/),
      expect.stringMatching(/^Orders\.pack asks for the lock service 'nowhere', and there is 'default'/),
      expect.stringMatching(/^Orders\.ship: leaseMs .* not 1$/),
      expect.stringMatching(/^Orders\.ship: waitMs .* not -1$/),
      expect.stringMatching(/^Reports\.monthly: a key must not be empty/),
      expect.stringMatching(/^Wallets\.deposit .* provided as WALLETS was not built by Nest/),
    ]);
  });
});

describe('an instance that Nest did not build', () => {
  class Wallets {
    constructor(readonly balance = 0) {}

    @Locked('wallet')
    async deposit(): Promise<string> {
      return 'done';
    }
  }

  it.each([
    ['useFactory', { provide: Wallets, useFactory: () => new Wallets() }],
    ['an asynchronous useFactory', { provide: Wallets, useFactory: async () => new Wallets() }],
    ['useValue', { provide: Wallets, useValue: new Wallets() }],
  ])('is refused at start-up: %s', async (_how, provider) => {
    const found = await problems({ providers: [provider] });
    expect(found).toEqual([expect.stringMatching(/^Wallets\.deposit .* provided as Wallets was not built by Nest/)]);
  });

  it('is not one that a factory had from Nest, nor one whose locked methods a test has replaced', async () => {
    const stub = Object.assign(new Wallets(), { deposit: async () => 'stubbed' });
    const app = await start(
      withLocks({
        providers: [
          Wallets,
          { provide: 'ALIAS', useExisting: Wallets },
          { provide: 'HANDED_ON', inject: [Wallets], useFactory: (wallets: Wallets) => wallets },
          { provide: 'CREATED', inject: [ModuleRef], useFactory: (nest: ModuleRef) => nest.create(Wallets) },
          { provide: 'STUB', useValue: stub },
        ],
      }),
    );
    for (const token of [Wallets, 'ALIAS', 'HANDED_ON', 'CREATED']) {
      expect(await app.get<Wallets>(token).deposit()).toBe('done');
    }
  });
});

describe('an override without @Locked', () => {
  it('is warned of, by both names, and once however many classes inherit it', async () => {
    class Base {
      @Locked('visit')
      async visit(): Promise<void> {}
    }

    class Between extends Base {
      override async visit(): Promise<void> {}
    }

    @Injectable()
    class First extends Between {}

    @Injectable()
    class Second extends Between {}

    const told = await warnings({ providers: [First, Second] });
    expect(told).toEqual([
      expect.stringMatching(/^Between\.visit overrides Base\.visit, which is @Locked, and is not/),
    ]);
  });

  it('is not warned of when it is inherited, decorated again, or overridden by what is', async () => {
    class Base {
      @Locked('visit')
      async visit(): Promise<void> {}
    }

    @Injectable()
    class Inheriting extends Base {}

    @Injectable()
    class Decorated extends Base {
      @Locked('visit again')
      override async visit(): Promise<void> {}
    }

    class Undecorated extends Base {
      override async visit(): Promise<void> {}
    }

    @Injectable()
    class DecoratedAgain extends Undecorated {
      @Locked('visit')
      override async visit(): Promise<void> {}
    }

    expect(await warnings({ providers: [Inheriting, Decorated, DecoratedAgain] })).toEqual([]);
  });
});

describe('a decorated class that no module provides', () => {
  it('is warned of, once, with its methods', async () => {
    class Forgotten {
      @Locked('a')
      async first(): Promise<void> {}

      @Locked('b')
      @Locked('c')
      async second(): Promise<void> {}
    }

    expect(await warnings({})).toEqual([
      expect.stringMatching(
        /^Forgotten\.first, Forgotten\.second: @Locked in a class that no module of this application provides/,
      ),
    ]);
    expect(await warnings({})).toEqual([]);
    expect(await errorOf(new Forgotten().first())).toBeInstanceOf(LockConfigError);
  });

  it('is not one that is a provider, a controller, a guard, or what such a class extends, in whatever scope', async () => {
    abstract class Base {
      @Locked('base')
      async base(): Promise<void> {}
    }

    @Injectable({ durable: true })
    class Provider extends Base {
      @Locked('provider')
      async run(): Promise<void> {}
    }

    @Injectable()
    class Guard implements CanActivate {
      @Locked('guard')
      async canActivate(): Promise<boolean> {
        return true;
      }
    }

    @Controller()
    class Routes {
      constructor(@Inject('P') readonly provider: Provider) {}

      @Get()
      @UseGuards(Guard)
      @Locked('route')
      async get(): Promise<void> {}
    }

    expect(await warnings({ controllers: [Routes], providers: [{ provide: 'P', useClass: Provider }] })).toEqual([]);
  });
});

describe('a LockModule whose options are made for each request', () => {
  it('would lock nobody out, and is refused', async () => {
    const perRequest = LockModule.forRootAsync({ name: 'mine', inject: [REQUEST], useFactory: () => ({}) });
    const [problem] = await problems({ imports: [perRequest] });
    expect(problem).toMatch(/^LockModule 'mine' would be made for each request anew/);
  });
});

describe('what is wrong and what is doubtful', () => {
  it('are told at one and the same start', async () => {
    class Base {
      @Locked('visit')
      async visit(): Promise<void> {}
    }

    @Injectable()
    class Undecorated extends Base {
      override async visit(): Promise<void> {}
    }

    class Forgotten {
      @Locked('a')
      async run(): Promise<void> {}
    }

    const log = new Log();
    expect(await problems({ providers: [Undecorated, lockedWith('', {})] }, log)).toHaveLength(1);
    expect(log.warnings).toHaveLength(1);
    expect(log.warnings[0]).toContain('Undecorated.visit overrides Base.visit');
    expect(log.warnings[0]).toContain(
      `${Forgotten.name}.run: @Locked in a class that no module of this application provides`,
    );
  });
});
