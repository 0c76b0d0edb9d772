import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  Inject,
  Injectable,
  type INestApplication,
  Module,
  type OnModuleDestroy,
  Scope,
} from '@nestjs/common';
import { type Claim, getLockServiceToken, InjectLockService, LockConfigError, Locked, LockModule } from 'nestjs-locked';
import { type LockModuleOptions, type LockOptionsFactory, LockService } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { create, errorOf, line, Log, nobody, Room, serve, start, until } from './apps.js';

/** The embedded backend under a name of its own, and whether it was closed. */
class NamedBackend extends MemoryBackend {
  closed = 0;
  asked = 0;

  constructor(override readonly name: 'memory') {
    super();
  }

  override claim(...args: Parameters<MemoryBackend['claim']>): Claim {
    this.asked += 1;
    return super.claim(...args);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

const backendNamed = (name: string): NamedBackend => new NamedBackend(name as 'memory');

@Injectable()
class Config {
  readonly name = 'configured';
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class LockSettings implements LockOptionsFactory {
  constructor(@Inject(Config) private readonly config: Config) {}

  async createLockOptions(): Promise<LockModuleOptions> {
    return { backend: backendNamed(this.config.name), waitMs: 0 };
  }
}

@Module({ imports: [ConfigModule], providers: [LockSettings], exports: [LockSettings] })
class SettingsModule {}

@Injectable()
class Waits {
  @Locked('key')
  async once(): Promise<void> {}
}

describe('LockModule.forRootAsync', () => {
  it.each([
    [
      'useFactory',
      LockModule.forRootAsync({
        imports: [ConfigModule],
        inject: [Config],
        useFactory: async (config: Config) => ({ backend: backendNamed(config.name), waitMs: 0 }),
      }),
    ],
    ['useClass', LockModule.forRootAsync({ imports: [ConfigModule], useClass: LockSettings })],
    ['useExisting', LockModule.forRootAsync({ imports: [SettingsModule], useExisting: LockSettings })],
  ])('%s makes the options', async (_how, module) => {
    const app = await start({ imports: [module], providers: [Waits] });
    const locks = app.get(LockService);
    expect(locks.backend.name).toBe('configured');
    await locks.acquire('key');
    expect(await errorOf(app.get(Waits).once())).toMatchObject({ code: 'LOCK_UNAVAILABLE' });
  });

  it('refuses what is no options, so that a forgotten return is not taken for the defaults', async () => {
    const module = LockModule.forRootAsync({ useFactory: () => undefined as unknown as LockModuleOptions });
    expect(await errorOf(create({ imports: [module] }))).toBeInstanceOf(LockConfigError);
  });
});

describe('LockModule.forRoot', () => {
  it.each([
    { waitMs: -1 },
    { leaseMs: 1 },
    { localHandOffs: 1024 },
    { retainMs: -1 },
    { backend: {} as MemoryBackend },
  ])('refuses %p at start-up', async (options) => {
    expect(await errorOf(create({ imports: [LockModule.forRoot(options)] }))).toBeInstanceOf(LockConfigError);
  });

  it('refuses a name that is none', () => {
    expect(() => LockModule.forRoot({ name: '' })).toThrow(LockConfigError);
    expect(() => InjectLockService('')).toThrow(LockConfigError);
  });
});

describe('several lock services', () => {
  @Injectable()
  class Orders {
    constructor(
      readonly locks: LockService,
      @InjectLockService('zk') readonly zk: LockService,
    ) {}

    @InjectLockService() readonly property!: LockService;

    @Locked('key')
    async here(): Promise<number> {
      return this.holders();
    }

    @Locked('key', { service: 'zk' })
    async there(): Promise<number> {
      return this.holders();
    }

    /** 1: held on the first only; 10: on the second only. */
    private async holders(): Promise<number> {
      return (await line(this.locks, 'key')).holders + 10 * (await line(this.zk, 'key')).holders;
    }
  }

  it('stand side by side: by class, by name, in decorators', async () => {
    const app = await start({
      imports: [
        LockModule.forRoot({ backend: backendNamed('first') }),
        LockModule.forRootAsync({ name: 'zk', useFactory: () => ({ backend: backendNamed('second') }) }),
      ],
      providers: [Orders],
    });
    const orders = app.get(Orders);
    expect(orders.locks.backend.name).toBe('first');
    expect(orders.zk.backend.name).toBe('second');
    expect(orders.property).toBe(orders.locks);
    expect(app.get(getLockServiceToken())).toBe(orders.locks);
    expect(app.get(getLockServiceToken('default'))).toBe(orders.locks);
    expect(app.get(getLockServiceToken('zk'))).toBe(orders.zk);
    expect([await orders.here(), await orders.there()]).toEqual([1, 10]);
  });
});

describe('at start-up', () => {
  @Injectable()
  class Reports {
    @Locked('key', { service: 'reports' })
    async monthly(): Promise<void> {}

    @Locked('key', { service: 'reports' })
    @Locked('other')
    async yearly(): Promise<void> {}
  }

  @Injectable({ scope: Scope.REQUEST })
  class OfRequest {
    @Locked('key', { service: 'nowhere' })
    async run(): Promise<void> {}
  }

  @Module({ providers: [Waits] })
  class FeatureModule {}

  async function problems(metadata: Parameters<typeof create>[0]): Promise<string[]> {
    const error = await errorOf((await create(metadata)).init());
    expect(error).toBeInstanceOf(LockConfigError);
    return (error as Error).message.split('\n');
  }

  it('an unknown service is named, with its methods, in any scope, all in one message', async () => {
    const found = await problems({ imports: [LockModule.forRoot()], providers: [Reports, OfRequest] });
    expect(found).toHaveLength(3);
    for (const [index, place] of ['Reports.monthly', 'Reports.yearly', 'OfRequest.run'].entries()) {
      expect(found[index]).toContain(place);
      expect(found[index]).toContain(index < 2 ? "'reports'" : "'nowhere'");
    }
  });

  it('the default service is named when there are only others', async () => {
    const found = await problems({ imports: [LockModule.forRoot({ name: 'reports' })], providers: [Reports] });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("Reports.yearly asks for the lock service 'default'");
  });

  it('a module that cannot see a LockModule that is not global is named', async () => {
    const found = await problems({ imports: [LockModule.forRoot({ isGlobal: false }), FeatureModule] });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/Waits\.once cannot see .*'default'.*FeatureModule/);
  });

  it('one that can see it, directly or by re-export, starts and locks', async () => {
    const locks = LockModule.forRoot({ isGlobal: false });

    @Module({ imports: [locks], exports: [LockModule] })
    class SharedModule {}

    @Module({ imports: [SharedModule], providers: [Waits] })
    class Indirect {}

    @Module({ imports: [locks], providers: [Waits] })
    class Direct {}

    for (const module of [Direct, Indirect]) {
      const app = await start({ imports: [module] });
      await app.get(Waits).once();
    }
  });

  it('one that imports a module which keeps it to itself cannot see it', async () => {
    @Module({ imports: [LockModule.forRoot({ isGlobal: false })] })
    class ClosedModule {}

    @Module({ imports: [ClosedModule], providers: [Waits] })
    class Outside {}

    expect((await problems({ imports: [Outside] }))[0]).toMatch(/Waits\.once cannot see .*Outside/);
  });

  it.each([true, false])('two of one name would not lock against each other, and are refused', async (isGlobal) => {
    @Module({ imports: [LockModule.forRoot({ isGlobal })] })
    class Other {}

    const found = await problems({ imports: [LockModule.forRoot({ isGlobal }), Other] });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("'default' is imported twice");
  });

  it('two of one name that share their backend do lock against each other', async () => {
    const backend = new MemoryBackend();
    const one = (): ReturnType<typeof LockModule.forRoot> => LockModule.forRoot({ isGlobal: false, backend });
    @Module({ imports: [one()], providers: [Waits] })
    class Other {}

    await start({ imports: [one(), Other], providers: [Waits] });
  });
});

describe('the embedded default in production', () => {
  const before = process.env['NODE_ENV'];
  afterEach(() => void (process.env['NODE_ENV'] = before));

  async function warnings(environment: string, ...imports: ReturnType<typeof LockModule.forRoot>[]): Promise<string[]> {
    process.env['NODE_ENV'] = environment;
    const log = new Log();
    await start({ imports, providers: [Waits] }, log);
    return log.warnings.filter((warning) => !warning.includes('no module of this application provides'));
  }

  it('warns once that it locks within one process only, and how to ask for it by name', async () => {
    const found = await warnings('production', LockModule.forRoot());
    expect(found).toHaveLength(1);
    for (const part of ['[LockModule]', 'this process only', 'new MemoryBackend()', 'nestjs-locked/memory']) {
      expect(found[0]).toContain(part);
    }
  });

  it('does not warn who asked for it, nor anybody elsewhere', async () => {
    expect(await warnings('production', LockModule.forRoot({ backend: new MemoryBackend() }))).toEqual([]);
    expect(await warnings('development', LockModule.forRoot())).toEqual([]);
  });
});

describe('shutdown', () => {
  const room = { current: new Room() };

  @Injectable()
  class Work {
    @Locked('work')
    async run(): Promise<string> {
      await room.current.stay();
      return this.nested();
    }

    @Locked('nested')
    async nested(): Promise<string> {
      return 'done';
    }
  }

  async function working(options: LockModuleOptions = {}): Promise<{ app: INestApplication; backend: NamedBackend }> {
    room.current = new Room();
    const backend = backendNamed('memory');
    const app = await start({ imports: [LockModule.forRoot({ ...options, backend })], providers: [Work] });
    return { app, backend };
  }

  it('lets who runs and who waits end, nested locks included; refuses new callers; then closes', async () => {
    const { app, backend } = await working();
    const [work, locks] = [app.get(Work), app.get(LockService)];
    const running = [work.run(), work.run()];
    await until(() => room.current.inside === 1);
    const closing = app.close();
    await until(() =>
      work.nested().then(
        () => false,
        () => true,
      ),
    );
    expect(await errorOf(work.run())).toMatchObject({ code: 'LOCK_BACKEND' });
    expect([await line(locks, 'work'), backend.closed]).toEqual([{ holders: 1, waiters: 1 }, 0]);
    room.current.open();
    expect(await Promise.all(running)).toEqual(['done', 'done']);
    await closing;
    expect([await line(locks, 'work'), backend.closed]).toEqual([nobody, 1]);
  });

  it('closes all lock services at once: none takes new callers while another is drained', async () => {
    const services = ['default', 'other'].map((name) => LockModule.forRoot({ name, drainMs: 60_000 }));
    const app = await create({ imports: services });
    await app.init();
    const [one, other] = ['default', 'other'].map((name) => app.get<LockService>(getLockServiceToken(name)));
    let end = (): void => undefined;
    const running = one!.run('work', () => new Promise<void>((resolve) => (end = resolve)));
    const closing = app.close();
    await until(() =>
      one!
        .run('new', () => undefined)
        .then(
          () => false,
          () => true,
        ),
    );
    await expect(other!.run('new', () => undefined)).rejects.toMatchObject({ code: 'LOCK_BACKEND' });
    end();
    await running;
    await closing;
  });

  it('does not wait for ever: after drainMs the lock is taken away, and the body is told', async () => {
    const { app, backend } = await working({ drainMs: 20 });
    const running = errorOf(app.get(Work).run());
    await until(() => room.current.inside === 1);
    await app.close();
    expect(backend.closed).toBe(1);
    room.current.open();
    expect(await running).toMatchObject({ code: 'LOCK_BACKEND' });
  });

  @Controller()
  class WorkController {
    constructor(private readonly work: Work) {}

    @Get()
    get(): Promise<string> {
      return this.work.run();
    }
  }

  it('lets requests end, those that wait as well, and refuses new ones while the server still can', async () => {
    room.current = new Room();
    const get = await serve({ imports: [LockModule.forRoot()], controllers: [WorkController], providers: [Work] });
    const requests = [get('/'), get('/')];
    await until(async () => (await line(get.app.get(LockService), 'work')).waiters === 1 && room.current.inside === 1);
    const closing = get.app.close();
    expect((await get('/')).status).toBe(503);
    room.current.open();
    for (const request of requests) expect(await (await request).text()).toBe('done');
    await closing;
  });

  it('comes after what the modules that use it do when they are shut down: that may still lock', async () => {
    const ended: unknown[] = [];
    @Injectable()
    class Cleaner implements OnModuleDestroy, BeforeApplicationShutdown {
      constructor(private readonly work: Work) {}

      async onModuleDestroy(): Promise<void> {
        ended.push(await this.work.nested().catch((error: unknown) => error));
      }

      async beforeApplicationShutdown(): Promise<void> {
        ended.push(await this.work.nested().catch((error: unknown) => error));
      }
    }

    const app = await start({ imports: [LockModule.forRoot()], providers: [Work, Cleaner] });
    await app.close();
    expect(ended).toEqual(['done', 'done']);
  });

  it('ends every service of the application', async () => {
    const backends = [backendNamed('first'), backendNamed('second')] as const;
    const app = await start({
      imports: [LockModule.forRoot({ backend: backends[0] }), LockModule.forRoot({ name: 'zk', backend: backends[1] })],
    });
    await app.close();
    expect(backends.map(({ closed }) => closed)).toEqual([1, 1]);
  });
});
