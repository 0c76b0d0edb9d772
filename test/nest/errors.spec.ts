import { describe, expect, it } from '@jest/globals';
import { type ArgumentsHost, Catch, ConflictException, Controller, type ExceptionFilter, Get } from '@nestjs/common';
import { Injectable, UseFilters } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { type Claim, LockConfigError, Locked, LockError, LockErrorFilter } from 'nestjs-locked';
import { LockLostError, LockModule, type LockModuleOptions, LockReentrancyError, LockService } from 'nestjs-locked';
import { type LockErrorAnswer, LockUnavailableError } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { type Client, create, errorOf, Log, serve } from './apps.js';

/** The embedded backend, as if its server could not be reached. */
class UnreachableBackend extends MemoryBackend {
  override claim(...args: Parameters<MemoryBackend['claim']>): Claim {
    return { ...super.claim(...args), attempt: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.3:6379')) };
  }
}

@Controller()
class Shop {
  @Get('busy')
  @Locked('secret-key', { waitMs: 0 })
  async busy(): Promise<void> {}

  @Get('patient')
  @Locked('secret-key', { waitMs: 1_050 })
  async patient(): Promise<void> {}

  @Get('lost')
  @Locked('other', { maxHoldMs: 20 })
  async lost(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  @Get('nested')
  @Locked('nested')
  async nested(): Promise<void> {
    await this.inner();
  }

  @Locked('nested')
  async inner(): Promise<void> {}

  @Get('keyless')
  @Locked(() => '')
  async keyless(): Promise<void> {}

  @Get('conflict')
  @Locked('conflict')
  async conflict(): Promise<never> {
    throw new ConflictException({ mine: true });
  }

  @Get('bug')
  @Locked('bug')
  async bug(): Promise<never> {
    throw new TypeError('mine');
  }
}

async function shop(options: LockModuleOptions = {}, log = new Log()): Promise<Client> {
  const ask = await serve({ imports: [LockModule.forRoot(options)], controllers: [Shop] }, log);
  if (options.backend === undefined) await ask.app.get(LockService).acquire('secret-key');
  return ask;
}

async function answerOf(
  ask: Client,
  path: string,
): Promise<[status: number, retryAfter: string | null, body: unknown]> {
  const answer = await ask(path);
  return [answer.status, answer.headers.get('retry-after'), await answer.json()];
}

describe('an HTTP client', () => {
  it('is told 423 when it is locked, and when to try again', async () => {
    const log = new Log();
    const ask = await shop({}, log);
    const message = expect.stringContaining('Locked') as unknown;
    const busy = { statusCode: 423, code: 'LOCK_UNAVAILABLE', message };
    expect(await answerOf(ask, '/busy')).toEqual([423, '1', busy]);
    const [status, retryAfter] = await answerOf(ask, '/patient');
    expect(status).toBe(423);
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(2);
    expect(log.errors).toEqual([]);
  });

  it('is told 503 when locks cannot be asked for, and nothing about the servers', async () => {
    const log = new Log();
    const ask = await shop({ backend: new UnreachableBackend(), leaseMs: 100 }, log);
    const [status, retryAfter, body] = await answerOf(ask, '/busy');
    expect([status, retryAfter]).toEqual([503, '1']);
    expect(body).toMatchObject({ statusCode: 503, code: 'LOCK_BACKEND' });
    expect(JSON.stringify(body)).not.toMatch(/ECONNREFUSED|secret-key/);
    expect(log.errors).toEqual([]);
    expect(log.warnings.filter((line) => line.includes('LockErrorFilter'))).toEqual([
      expect.stringContaining('ECONNREFUSED'),
    ]);
  });

  it.each([
    ['/lost', 'LOCK_LOST', LockLostError],
    ['/nested', 'LOCK_REENTRANCY', LockReentrancyError],
    ['/keyless', 'LOCK_CONFIG', LockConfigError],
  ])('is told 500 for %s, which is logged', async (path, code, type) => {
    const log = new Log();
    expect(await answerOf(await shop({}, log), path)).toMatchObject([500, null, { statusCode: 500, code }]);
    expect(log.errors).toEqual([expect.any(type)]);
  });

  it("is told the handler's own errors as if there were no lock", async () => {
    const ask = await shop();
    expect(await answerOf(ask, '/conflict')).toEqual([409, null, { mine: true }]);
    expect(await answerOf(ask, '/bug')).toMatchObject([500, null, { message: 'Internal server error' }]);
  });
});

describe('answerError', () => {
  it('answers otherwise; undefined leaves an error to the default', async () => {
    const ask = await shop({
      answerError: (error, usual) => {
        if (!(error instanceof LockUnavailableError)) return undefined;
        return { ...usual, status: 409, message: `${error.key} is taken`, details: { ahead: error.ahead } };
      },
    });
    const body = { statusCode: 409, code: 'LOCK_UNAVAILABLE', message: 'secret-key is taken', ahead: 1 };
    expect(await answerOf(ask, '/busy')).toEqual([409, '1', body]);
    expect(await answerOf(ask, '/keyless')).toMatchObject([500, null, { code: 'LOCK_CONFIG' }]);
  });

  it('may come from a factory, and from a module with a name', async () => {
    const module = LockModule.forRootAsync({
      name: 'other',
      useFactory: async () => ({ answerError: () => ({ status: 418, code: 'MINE', message: 'mine' }) }),
    });
    const ask = await serve({ imports: [LockModule.forRoot(), module], controllers: [Shop] });
    expect(await answerOf(ask, '/keyless')).toEqual([418, null, { statusCode: 418, code: 'MINE', message: 'mine' }]);
  });

  it('that throws is logged, and the client is told the usual', async () => {
    const log = new Log();
    const mistake = new TypeError('mine');
    const answerError = (): never => {
      throw mistake;
    };
    expect(await answerOf(await shop({ answerError }, log), '/busy')).toMatchObject([423, '1', { statusCode: 423 }]);
    expect(log.errors).toEqual([mistake]);
  });

  it.each<[string, (usual: LockErrorAnswer) => unknown]>([
    ['a promise', async (usual) => usual],
    ['no status', (usual) => ({ ...usual, status: undefined })],
    ['a status of success', (usual) => ({ ...usual, status: 200 })],
    ['no code', (usual) => ({ ...usual, code: 1 })],
    ['a time that is none', (usual) => ({ ...usual, retryAfterSeconds: '1\r\nSet-Cookie: a=b' })],
    ['details that JSON cannot tell', (usual) => ({ ...usual, details: { fencingToken: 5n } })],
    ['null', () => null],
  ])('that returns %s is a mistake that is logged, and the usual is answered', async (_what, mistaken) => {
    const log = new Log();
    const answerError = (_error: unknown, usual: LockErrorAnswer): never => mistaken(usual) as never;
    expect(await answerOf(await shop({ answerError }, log), '/busy')).toMatchObject([423, '1', { statusCode: 423 }]);
    expect(String(log.errors[0])).toContain('answerError must return');
  });

  it('is refused at start-up when two modules have one each', async () => {
    const app = await create({
      imports: ['default', 'other'].map((name) => LockModule.forRoot({ name, answerError: () => undefined })),
    });
    expect(await errorOf(app.init())).toBeInstanceOf(LockConfigError);
  });
});

describe('a filter of the application', () => {
  @Catch(LockUnavailableError)
  class Teapot implements ExceptionFilter {
    catch(_error: LockUnavailableError, host: ArgumentsHost): void {
      host.switchToHttp().getResponse<{ sendStatus(status: number): void }>().sendStatus(418);
    }
  }

  @Injectable()
  class Jobs {
    @Locked('secret-key', { waitMs: 0 })
    async run(): Promise<void> {}
  }

  @Controller()
  @UseFilters(Teapot)
  class Bound {
    constructor(private readonly jobs: Jobs) {}

    @Get()
    get(): Promise<void> {
      return this.jobs.run();
    }
  }

  it('goes first when it is bound to the controller', async () => {
    const ask = await serve({ imports: [LockModule.forRoot()], controllers: [Bound], providers: [Jobs] });
    await ask.app.get(LockService).acquire('secret-key');
    expect((await ask('/')).status).toBe(418);
  });

  it('goes first when it is given to useGlobalFilters', async () => {
    const app = await create({ imports: [LockModule.forRoot()], controllers: [Shop] });
    app.useGlobalFilters(new Teapot());
    await app.listen(0, '127.0.0.1');
    await app.get(LockService).acquire('secret-key');
    expect((await fetch(`${await app.getUrl()}/busy`)).status).toBe(418);
    await app.close();
  });
});

describe('the filter', () => {
  const error = new LockUnavailableError('secret-key', { waitedMs: 5, ahead: 1 });

  it('throws the error itself where it knows no other way', async () => {
    const { app } = await shop();
    const [handlers, context, none] = [app.get(Shop), app.get(ExternalContextCreator), undefined];
    const call = context.create(handlers, handlers.busy, 'busy', none, none, none, none, none, 'bot');
    expect(await errorOf(call() as Promise<unknown>)).toBeInstanceOf(LockUnavailableError);
  });

  it('catches the errors of another copy of this package, and no others', () => {
    const [caught] = Reflect.getMetadata('__filterCatchExceptions__', LockErrorFilter) as [new () => unknown];
    const copy = Object.defineProperty(new Error('busy'), Symbol.for('nestjs-locked:LockError'), { value: true });
    for (const caughtOnes of [error, new LockLostError('key', 'closed'), copy])
      expect(caughtOnes).toBeInstanceOf(caught);
    expect(copy).not.toBeInstanceOf(LockError);
    for (const other of [new Error('mine'), new ConflictException(), undefined, null, 'text']) {
      expect(other instanceof caught).toBe(false);
    }
  });
});
