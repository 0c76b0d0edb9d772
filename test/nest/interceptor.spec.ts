import { type ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  type CanActivate,
  ConflictException,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type MessageEvent,
  type NestInterceptor,
  Post,
  Scope,
  Sse,
  UnauthorizedException,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Observable, Subject, timeout } from 'rxjs';
import { LockConfigError, LockInterceptor, LockModule, LockService } from 'nestjs-locked';
import { aMoment, type Client, create, errorOf, line, Log, nobody, Room, serve, until } from './apps.js';

interface UserRequest {
  user?: string;
  readonly headers: Readonly<Record<string, string>>;
}

@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<UserRequest>();
    const user = request.headers['x-user'];
    if (user !== undefined) request.user = user;
    return true;
  }
}

function cartOf(context: ExecutionContext): string {
  const { user } = context.switchToHttp().getRequest<UserRequest>();
  if (user === undefined) throw new UnauthorizedException();
  return `cart:${user}`;
}

let room = new Room();
let events = new Subject<MessageEvent>();

@Injectable()
class GiveUp implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(timeout(50));
  }
}

@Controller('impatient')
@UseInterceptors(GiveUp, LockInterceptor('impatient'))
class ImpatientController {
  @Get('promise')
  async promise(): Promise<void> {
    await room.stay();
  }

  @Get('observable')
  observable(): Observable<MessageEvent> {
    return events;
  }
}

@Controller('cart')
@UseGuards(UserGuard)
class CartController {
  @Post()
  @UseInterceptors(LockInterceptor(cartOf))
  async add(): Promise<string> {
    await room.stay();
    return String(LockService.current()?.key);
  }

  @Post('skip')
  @UseInterceptors(LockInterceptor(cartOf, { onBusy: 'skip' }))
  async skip(): Promise<string> {
    return 'added';
  }

  @Post('conflict')
  @UseInterceptors(LockInterceptor(cartOf))
  async conflict(): Promise<never> {
    throw new ConflictException('mine');
  }

  @Post('keyless')
  @UseInterceptors(LockInterceptor(() => ''))
  async keyless(): Promise<string> {
    room.enter();
    return 'added';
  }

  @Post('several')
  @UseInterceptors(LockInterceptor(['b', 'a']))
  async several(): Promise<readonly string[] | undefined> {
    return LockService.current()?.keys;
  }

  @Sse('events')
  @UseInterceptors(LockInterceptor('events'))
  events(): Observable<MessageEvent> {
    return events;
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
@UseInterceptors(LockInterceptor('scoped'))
class ScopedController {
  @Get()
  async get(): Promise<string> {
    await room.stay();
    return String(LockService.current()?.key);
  }
}

const shop = { imports: [LockModule.forRoot()], controllers: [CartController, ScopedController] };

async function open(log?: Log): Promise<{ ask: Client; locks: LockService }> {
  room = new Room();
  events = new Subject();
  const ask = await serve(shop, log);
  return { ask, locks: ask.app.get(LockService) };
}

const post = (user: string, signal?: AbortSignal): RequestInit => {
  return { method: 'POST', headers: { 'x-user': user }, ...(signal && { signal }) };
};

describe('LockInterceptor', () => {
  it('runs the handler under a key of the request, which guards have seen', async () => {
    const { ask, locks } = await open();
    const answers = [ask('/cart', post('ann')), ask('/cart', post('ann')), ask('/cart', post('ben'))];
    await until(async () => (await line(locks, 'cart:ann')).waiters === 1 && room.inside === 2);
    room.open();
    const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
    expect(texts).toEqual(['cart:ann', 'cart:ann', 'cart:ben']);
    expect(room.most).toBe(2);
    expect(await line(locks, 'cart:ann')).toEqual(nobody);
  });

  it('takes fixed keys, and whole controllers of any scope', async () => {
    const { ask, locks } = await open();
    expect(await (await ask('/cart/several', post('ann'))).json()).toEqual(['a', 'b']);
    const answers = [ask('/scoped'), ask('/scoped')];
    await until(async () => (await line(locks, 'scoped')).waiters === 1 && room.inside === 1);
    room.open();
    expect(await Promise.all(answers.map(async (answer) => (await answer).text()))).toEqual(['scoped', 'scoped']);
    expect(room.most).toBe(1);
  });

  it('passes on what the handler throws, and what the key function throws', async () => {
    const { ask, locks } = await open();
    const answer = await ask('/cart/conflict', post('ann'));
    expect([answer.status, await answer.json()]).toMatchObject([409, { message: 'mine' }]);
    expect((await ask('/cart', { method: 'POST' })).status).toBe(401);
    expect(await line(locks, 'cart:ann')).toEqual(nobody);
  });

  it('answers nothing when it is skipped', async () => {
    const { ask, locks } = await open();
    await locks.acquire('cart:ann');
    const answer = await ask('/cart/skip', post('ann'));
    expect([answer.status, await answer.text()]).toEqual([201, '']);
    expect(await (await ask('/cart/skip', post('ben'))).text()).toBe('added');
  });

  it('never runs the handler without a key, and says where', async () => {
    const log = new Log();
    const { ask } = await open(log);
    expect((await ask('/cart/keyless', post('ann'))).status).toBe(500);
    expect(room.visits).toBe(0);
    expect(String(log.errors[0])).toContain('CartController.keyless');
  });

  it('holds the lock of a stream of events until the client has gone', async () => {
    const { ask, locks } = await open();
    const leave = new AbortController();
    const asking = ask('/cart/events', { headers: { 'x-user': 'ann' }, signal: leave.signal });
    await until(() => events.observed);
    events.next({ data: 'one' });
    const reader = (await asking).body!.getReader();
    await reader.read();
    expect(await line(locks, 'events')).toEqual({ holders: 1, waiters: 0 });
    leave.abort();
    await until(async () => (await line(locks, 'events')).holders === 0);
    expect(events.observed).toBe(false);
  });

  it('without LockModule, or in a name that there is none of, fails at start-up', async () => {
    @Controller()
    @UseInterceptors(LockInterceptor('key', { service: 'zk' }))
    class Named {}

    const alone = await errorOf(create({ controllers: [CartController] }));
    expect(alone).toBeInstanceOf(LockConfigError);
    expect((alone as Error).message).toContain('LockModule.forRoot()');
    const unnamed = await errorOf(create({ imports: [LockModule.forRoot()], controllers: [Named] }));
    expect(unnamed).toBeInstanceOf(LockConfigError);
    expect((unnamed as Error).message).toContain("'zk'");
  });

  it('checks its options when it is made', () => {
    expect(() => LockInterceptor('key', { waitMs: -1 })).toThrow(LockConfigError);
    expect(() => LockInterceptor('')).toThrow(LockConfigError);
  });
});

describe('an HTTP client that disconnects', () => {
  it('while it waits, leaves the line; is not logged as an error; and the next in line is served', async () => {
    const log = new Log();
    const { ask, locks } = await open(log);
    const other = await locks.acquire('cart:ann');
    const leave = new AbortController();
    const gone = errorOf(ask('/cart', post('ann', leave.signal)));
    await until(async () => (await line(locks, 'cart:ann')).waiters === 1);
    const next = ask('/cart', post('ann'));
    await until(async () => (await line(locks, 'cart:ann')).waiters === 2);
    leave.abort();
    await gone;
    await until(async () => (await line(locks, 'cart:ann')).waiters === 1);
    expect(room.visits).toBe(0);
    room.open();
    await other.release();
    expect((await next).status).toBe(201);
    expect(room.visits).toBe(1);
    expect(log.errors).toEqual([]);
  });

  it('before it is its turn to be intercepted, never joins the line', async () => {
    @Injectable()
    class SlowGuard implements CanActivate {
      static entered = false;
      static passed = false;

      async canActivate(context: ExecutionContext): Promise<boolean> {
        const response = context.switchToHttp().getResponse<{ readonly destroyed: boolean }>();
        SlowGuard.entered = true;
        await until(() => response.destroyed);
        return (SlowGuard.passed = true);
      }
    }

    @Controller()
    class Slow {
      @Get()
      @UseGuards(SlowGuard)
      @UseInterceptors(LockInterceptor('slow'))
      async get(): Promise<void> {
        room.enter();
      }
    }
    const ask = await serve({ imports: [LockModule.forRoot()], controllers: [Slow] });
    const joined: string[] = [];
    ask.app.get(LockService).subscribe(({ type }) => joined.push(type));
    const leave = new AbortController();
    const visits = room.visits;
    const gone = errorOf(ask('/', { signal: leave.signal }));
    await until(() => SlowGuard.entered);
    leave.abort();
    await gone;
    await until(() => SlowGuard.passed);
    await aMoment();
    expect([joined, room.visits]).toEqual([[], visits]);
  });

  it('while the handler runs, disturbs nothing: it ends under its lock', async () => {
    const { ask, locks } = await open();
    const leave = new AbortController();
    const gone = errorOf(ask('/cart', post('ann', leave.signal)));
    await until(() => room.inside === 1);
    leave.abort();
    await gone;
    const next = ask('/cart', post('ann'));
    await until(async () => (await line(locks, 'cart:ann')).waiters === 1);
    expect(await line(locks, 'cart:ann')).toEqual({ holders: 1, waiters: 1 });
    expect(room.inside).toBe(1);
    room.open();
    expect(await (await next).text()).toBe('cart:ann');
    expect([room.most, room.visits]).toEqual([1, 2]);
  });

  it('leaves no listener behind on the responses of those who stay', async () => {
    @Injectable()
    class Nothing implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle();
      }
    }

    @Controller()
    class Counting {
      @Get('plain')
      @UseInterceptors(Nothing)
      async plain(): Promise<void> {}

      @Get('locked')
      @UseInterceptors(LockInterceptor('count'))
      async locked(): Promise<void> {}
    }
    const ask = await serve({ imports: [LockModule.forRoot()], controllers: [Counting] });
    const listeners: number[] = [];
    ask.app.getHttpServer().prependListener('request', (_request: unknown, response: ServerResponse) => {
      response.once('finish', () => listeners.push(response.listenerCount('close')));
    });
    await ask('/plain');
    await ask('/locked');
    await until(() => listeners.length === 2);
    expect(listeners[1]).toBe(listeners[0]);
  });
});

describe('a handler that an interceptor around the lock gives up', () => {
  const impatient = { imports: [LockModule.forRoot()], controllers: [ImpatientController] };

  it('keeps the lock until it has ended', async () => {
    room = new Room();
    const get = await serve(impatient);
    const locks = get.app.get(LockService);
    expect((await get('/impatient/promise')).status).toBe(500);
    expect(await line(locks, 'impatient')).toEqual({ holders: 1, waiters: 0 });
    expect((await get('/impatient/promise')).status).toBe(500);
    expect(room.visits).toBe(1);
    room.open();
    await until(async () => (await line(locks, 'impatient')).holders === 0);
  });

  it('is unsubscribed if it declares an Observable, and lets go at once', async () => {
    events = new Subject();
    const get = await serve(impatient);
    expect((await get('/impatient/observable')).status).toBe(500);
    expect(events.observed).toBe(false);
    await until(async () => (await line(get.app.get(LockService), 'impatient')).holders === 0);
  });
});
