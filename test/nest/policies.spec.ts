import { beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Query, UseInterceptors } from '@nestjs/common';
import { lastValueFrom, Observable } from 'rxjs';
import {
  type Lock,
  LockConfigError,
  Locked,
  LockInterceptor,
  LockLostError,
  LockModule,
  LockService,
} from 'nestjs-locked';
import { errorOf, line, Room, serve, start, until } from './apps.js';

describe('LockService.current() inside whatever is locked', () => {
  const seen: (Lock | undefined)[] = [];
  const look = (): void => void seen.push(LockService.current());

  @Injectable()
  class Everything {
    @Locked('key')
    async promise(): Promise<void> {
      look();
      await Promise.resolve();
      look();
    }

    @Locked('key')
    observable(): Observable<void> {
      return new Observable((subscriber) => {
        look();
        queueMicrotask(() => {
          look();
          subscriber.complete();
        });
      });
    }

    @Locked('key')
    async *generator(): AsyncGenerator<void> {
      look();
      yield;
      look();
    }
  }

  @Controller()
  class Routes {
    @Get()
    @UseInterceptors(LockInterceptor('key'))
    async get(): Promise<void> {
      look();
      await Promise.resolve();
      look();
    }
  }

  it('is the lock, with its fencing token, which rises, and its signal, which its loss aborts', async () => {
    seen.length = 0;
    const get = await serve({ imports: [LockModule.forRoot()], controllers: [Routes], providers: [Everything] });
    const everything = get.app.get(Everything);
    await everything.promise();
    await lastValueFrom(everything.observable(), { defaultValue: undefined });
    for await (const _ of everything.generator());
    await get('/');
    expect(seen).toHaveLength(8);
    for (const [index, lock] of seen.entries()) {
      expect(lock).toMatchObject({ key: 'key', fencingToken: expect.any(BigInt), signal: expect.any(AbortSignal) });
      if (index % 2 === 1) expect(lock).toBe(seen[index - 1]);
      else if (index > 0) expect(lock!.fencingToken).toBeGreaterThan(seen[index - 1]!.fencingToken);
    }
    expect(LockService.current()).toBeUndefined();
  });
});

let room: Room;
beforeEach(() => {
  room = new Room();
});

describe('the policies of @Locked', () => {
  const now = new AbortController();

  @Injectable()
  class Jobs {
    @Locked('job', { maxHoldMs: 20 })
    async tooLong(): Promise<string> {
      await new Promise((resolve) => LockService.current()!.signal.addEventListener('abort', resolve));
      return 'done';
    }

    @Locked('job', { maxHoldMs: 20, onLost: 'ignore' })
    async tooLongIgnored(): Promise<string> {
      await new Promise((resolve) => LockService.current()!.signal.addEventListener('abort', resolve));
      return 'done';
    }

    @Locked('tick', { onBusy: 'skip', minHoldMs: 60_000 })
    async oncePerTick(): Promise<string | undefined> {
      return 'done';
    }

    @Locked('job', { waitMs: 20 })
    async impatient(): Promise<void> {}

    @Locked('job')
    async outer(): Promise<string[]> {
      return Promise.all([this.again(), this.again()]);
    }

    @Locked('job', { reentrant: true })
    async again(): Promise<string> {
      room.enter();
      await Promise.resolve();
      room.leave();
      return String(LockService.current()!.fencingToken);
    }

    @Locked('job', { waitMs: Infinity, signal: (_name: string, signal?: AbortSignal) => signal })
    async abortable(name: string, _signal?: AbortSignal): Promise<string> {
      return name;
    }

    @Locked('job', {
      waitMs: Infinity,
      signal(this: Jobs) {
        return this.closing.signal;
      },
    })
    observe(): Observable<never> {
      throw new Error('never called');
    }

    @Locked('job', { signal: (() => 'no signal') as unknown as () => AbortSignal })
    async mistaken(): Promise<void> {}

    readonly closing = now;
  }

  async function jobs(): Promise<{ jobs: Jobs; locks: LockService }> {
    const app = await start({ imports: [LockModule.forRoot()], providers: [Jobs] });
    return { jobs: app.get(Jobs), locks: app.get(LockService) };
  }

  it('maxHoldMs ends the lock like a loss, which onLost may ignore', async () => {
    const { jobs: service } = await jobs();
    const error = await errorOf(service.tooLong());
    expect(error).toBeInstanceOf(LockLostError);
    expect(error).toMatchObject({ reason: 'max-hold' });
    expect(await service.tooLongIgnored()).toBe('done');
  });

  it('minHoldMs keeps a key from those who come a little later', async () => {
    const { jobs: service, locks } = await jobs();
    expect(await service.oncePerTick()).toBe('done');
    expect(await service.oncePerTick()).toBeUndefined();
    expect(await line(locks, 'tick')).toEqual({ holders: 1, waiters: 0 });
  });

  it('waitMs ends the waiting', async () => {
    const { jobs: service, locks } = await jobs();
    await locks.acquire('job');
    expect(await errorOf(service.impatient())).toMatchObject({ code: 'LOCK_UNAVAILABLE' });
  });

  it('reentrant lets a call chain in again, siblings one by one, under the lock that it has', async () => {
    const { jobs: service } = await jobs();
    const [one, other] = await service.outer();
    expect(one).toBe(other);
    expect([room.visits, room.most]).toEqual([2, 1]);
  });

  it('signal ends the waiting of the call that it was made of, and of no other', async () => {
    const { jobs: service, locks } = await jobs();
    const holder = await locks.acquire('job');
    const abort = new AbortController();
    const aborted = errorOf(service.abortable('aborted', abort.signal));
    const others = [service.abortable('other', new AbortController().signal), service.abortable('without')];
    await until(async () => (await line(locks, 'job')).waiters === 3);
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await aborted).toBe(reason);
    await holder.release();
    expect(await Promise.all(others)).toEqual(['other', 'without']);
  });

  it('signal may be one of the instance, and ends the waiting of an Observable', async () => {
    const { jobs: service, locks } = await jobs();
    await locks.acquire('job');
    const waiting = errorOf(lastValueFrom(service.observe()));
    await until(async () => (await line(locks, 'job')).waiters === 1);
    const reason = new Error('closing');
    now.abort(reason);
    expect(await waiting).toBe(reason);
  });

  it('signal that is none is a mistake that is told by name, and nothing runs', async () => {
    const error = await errorOf((await jobs()).jobs.mistaken());
    expect(error).toBeInstanceOf(LockConfigError);
    expect((error as Error).message).toContain('Jobs.mistaken: signal must be an AbortSignal, not "no signal"');
  });
});

describe('the signal of a LockInterceptor', () => {
  it('is made of the context of the call', async () => {
    const patience = new Map([['short', new AbortController()]]);

    @Controller()
    class Routes {
      @Get()
      @UseInterceptors(
        LockInterceptor('key', {
          signal: (context) => {
            const { query } = context.switchToHttp().getRequest<{ readonly query: { readonly who: string } }>();
            return patience.get(query.who)?.signal;
          },
        }),
      )
      get(@Query('who') who: string): Promise<string> {
        return room.stay().then(() => who);
      }
    }

    const get = await serve({ imports: [LockModule.forRoot()], controllers: [Routes] });
    const locks = get.app.get(LockService);
    const holder = await locks.acquire('key');
    const [short, long] = [get('/?who=short'), get('/?who=long')];
    await until(async () => (await line(locks, 'key')).waiters === 2);
    patience.get('short')!.abort(new Error('enough'));
    expect((await short).status).toBe(500);
    await holder.release();
    room.open();
    expect(await (await long).text()).toBe('long');
  });
});
