import { once } from 'node:events';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, StreamableFile, UseInterceptors } from '@nestjs/common';
import { from, lastValueFrom, Observable, of } from 'rxjs';
import {
  type Clock,
  LockConfigError,
  Locked,
  LockInterceptor,
  LockLostError,
  LockModule,
  LockReentrancyError,
  LockService,
  LockUnavailableError,
} from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { aMoment, errorOf, line, nobody, Room, serve, start, until } from './apps.js';

const held = { holders: 1, waiters: 0 };
const keyNow = (): string | undefined => LockService.current()?.key;

let room = new Room();

/** What happened to a source. */
class Source {
  steps: string[] = [];

  async *items(): AsyncGenerator<unknown, string, unknown> {
    this.steps.push('start');
    try {
      const sent = yield keyNow();
      await aMoment();
      this.steps.push(`sent ${String(sent)}`);
      yield keyNow();
      return 'returned';
    } catch (error) {
      this.steps.push('catch');
      throw error;
    } finally {
      await aMoment();
      this.steps.push(`finally under ${keyNow()}`);
    }
  }
}

/** Something that can be iterated, and more: a cursor of a database, say. */
class Cursor implements AsyncIterable<unknown> {
  #closed = false;

  constructor(private readonly source: Source) {}

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.source.items();
  }

  close(): boolean {
    return (this.#closed = true);
  }

  get closed(): boolean {
    return this.#closed;
  }
}

@Injectable()
class Catalogue {
  source = new Source();

  @Locked('items')
  async *items(): AsyncGenerator<unknown, string, unknown> {
    return yield* this.source.items();
  }

  @Locked('items')
  async promised(): Promise<AsyncGenerator<unknown, string, unknown>> {
    return this.source.items();
  }

  // An iterable that no generator function makes, so that it is not known before the call: a promise of one is answered.
  @Locked('items')
  plain(): AsyncIterable<unknown> {
    return this.source.items();
  }

  @Locked('items')
  async cursor(): Promise<Cursor> {
    return new Cursor(this.source);
  }

  @Locked('items')
  async frozen(): Promise<AsyncIterable<unknown>> {
    return Object.freeze({ [Symbol.asyncIterator]: () => this.source.items() });
  }

  /** Answers in its own time, whatever else is asked meanwhile. */
  @Locked('items')
  async rooms(): Promise<AsyncIterable<string>> {
    const next = async (): Promise<IteratorResult<string>> => {
      await room.stay();
      return { done: false, value: 'left' };
    };
    return { [Symbol.asyncIterator]: () => ({ next, return: async () => ({ done: true, value: undefined }) }) };
  }

  @Locked((key: string) => key, { waitMs: 0 })
  async *keyed(_key: string): AsyncGenerator<unknown> {
    yield* this.source.items();
  }

  @Locked('items', { maxHoldMs: 50 })
  async *short(): AsyncGenerator<unknown> {
    yield* this.source.items();
  }

  @Locked('items', { maxHoldMs: 50, onLost: 'ignore' })
  async *shortAndCareless(): AsyncGenerator<unknown> {
    yield* this.source.items();
  }
}

async function catalogue(): Promise<{ catalogue: Catalogue; locks: LockService }> {
  const app = await start({ imports: [LockModule.forRoot()], providers: [Catalogue] });
  return { catalogue: app.get(Catalogue), locks: app.get(LockService) };
}

const iterables: Record<string, (catalogue: Catalogue) => Promise<AsyncIterable<unknown>>> = {
  'an async generator': async (catalogue) => catalogue.items(),
  'a promise of an async generator': (catalogue) => catalogue.promised(),
  'an async iterable that no generator function makes': (catalogue) => catalogue.plain() as never,
  'a promise of a frozen iterable': (catalogue) => catalogue.frozen(),
  'a promise of something that can be iterated': (catalogue) => catalogue.cursor(),
};

describe.each(Object.entries(iterables))('%s', (_how, open) => {
  it('is held until it has ended', async () => {
    const { catalogue: from, locks } = await catalogue();
    const seen: unknown[] = [];
    for await (const item of await open(from)) {
      seen.push(item, await line(locks, 'items'));
      expect(keyNow()).toBeUndefined();
    }
    expect(seen).toEqual(['items', held, 'items', held]);
    expect(await line(locks, 'items')).toEqual(nobody);
    expect(from.source.steps).toEqual(['start', 'sent undefined', 'finally under items']);
  });

  it('is held until somebody breaks off, and runs its finally blocks under the lock', async () => {
    const { catalogue: from, locks } = await catalogue();
    for await (const _ of await open(from)) break;
    expect(await line(locks, 'items')).toEqual(nobody);
    expect(from.source.steps).toEqual(['start', 'finally under items']);
  });

  it('runs one by one', async () => {
    const { catalogue: from, locks } = await catalogue();
    const room = new Room();
    const walk = async (): Promise<void> => {
      for await (const _ of await open(from)) {
        room.enter();
        await aMoment();
        room.leave();
      }
    };
    await Promise.all([walk(), walk(), walk()]);
    expect([room.most, room.visits]).toEqual([1, 6]);
    expect(await line(locks, 'items')).toEqual(nobody);
  });
});

describe('an async generator method', () => {
  it('locks at the first item, passes values, results and errors on, and ends once', async () => {
    const { catalogue: from, locks } = await catalogue();
    const items = from.items();
    await aMoment();
    expect([from.source.steps, await line(locks, 'items')]).toEqual([[], nobody]);
    expect(await items.next()).toEqual({ done: false, value: 'items' });
    expect(await line(locks, 'items')).toEqual(held);
    await items.next('hello');
    expect(from.source.steps.at(-1)).toBe('sent hello');
    expect(await items.next()).toEqual({ done: true, value: 'returned' });
    expect(await items.next()).toEqual({ done: true, value: undefined });

    const thrown = new Error('mine');
    const failing = from.items();
    await failing.next();
    expect(await errorOf(failing.throw(thrown))).toBe(thrown);
    expect(from.source.steps).toContain('catch');
    expect(await line(locks, 'items')).toEqual(nobody);
  });

  it('left before its first item never locks', async () => {
    const { catalogue: from, locks } = await catalogue();
    const other = await locks.acquire('items');
    expect(await from.items().return('early')).toEqual({ done: true, value: 'early' });
    await other.release();
    expect(from.source.steps).toEqual([]);
  });

  it('left while it waits leaves the line and is not called', async () => {
    const { catalogue: from, locks } = await catalogue();
    const other = await locks.acquire('items');
    const items = from.items();
    const first = items.next();
    await until(async () => (await line(locks, 'items')).waiters === 1);
    const left = items.return('early');
    expect(await first).toEqual({ done: true, value: undefined });
    expect(await left).toEqual({ done: true, value: 'early' });
    expect(await line(locks, 'items')).toEqual(held);
    await other.release();
    expect([from.source.steps, await line(locks, 'items')]).toEqual([[], nobody]);
  });

  it('left in the turn in which it is had is not called, and lets go', async () => {
    const { catalogue: from, locks } = await catalogue();
    const items = from.items();
    locks.subscribe(({ type }) => {
      if (type === 'acquired') queueMicrotask(() => void items.return('early'));
    });
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect([from.source.steps, await line(locks, 'items')]).toEqual([[], nobody]);
  });

  it('fails at the first item: busy, a key that is none, no service', async () => {
    const { catalogue: from, locks } = await catalogue();
    const other = await locks.acquire('busy');
    expect(await errorOf(from.keyed('busy').next())).toBeInstanceOf(LockUnavailableError);
    expect(await errorOf(from.keyed('').next())).toBeInstanceOf(LockConfigError);
    expect(await errorOf(new Catalogue().items().next())).toBeInstanceOf(LockConfigError);
    await other.release();
  });

  it('fails with LockLostError when the lock was lost, and runs its finally blocks', async () => {
    const { catalogue: from, locks } = await catalogue();
    const items = from.short();
    await items.next();
    await until(async () => (await line(locks, 'items')).holders === 0);
    expect(await errorOf(items.next())).toBeInstanceOf(LockLostError);
    expect(from.source.steps.map((step) => step.split(' ')[0])).toEqual(['start', 'finally']);
    expect(await items.next()).toEqual({ done: true, value: undefined });

    const careless = from.shortAndCareless();
    await careless.next();
    await until(async () => (await line(locks, 'items')).holders === 0);
    expect((await careless.next()).done).toBe(false);
    expect((await careless.next()).done).toBe(true);
  });
});

describe('a wall clock that jumps', () => {
  it('ends no stream: doubt is not loss', async () => {
    const now = { wall: Date.now() };
    const clock: Clock = {
      now: () => performance.now(),
      wall: () => now.wall,
      alarm(delayMs, ring) {
        const timer = setTimeout(ring, delayMs);
        return { cancel: () => clearTimeout(timer), keepAlive: () => undefined };
      },
    };
    const useFactory = (): LockService => new LockService({ backend: new MemoryBackend() }, { clock });
    const app = await start({ providers: [Catalogue, { provide: LockService, useFactory }] });
    const items = app.get(Catalogue).items();
    await items.next();
    now.wall += 3_600_000;
    expect((await items.next()).done).toBe(false);
    expect((await items.next()).done).toBe(true);
  });
});

describe('a promise of an async generator', () => {
  it('is done once it has ended, however often it is asked', async () => {
    const { catalogue: from } = await catalogue();
    const items = await from.promised();
    await items.next();
    expect(await items.return('early')).toEqual({ done: true, value: 'early' });
    expect(await items.next()).toEqual({ done: true, value: undefined });
    await expect(items[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});

describe('something that can be iterated', () => {
  it('stays what it is, is held from the call on, and is not iterated again without the lock', async () => {
    const { catalogue: from, locks } = await catalogue();
    const cursor = await from.cursor();
    expect(cursor).toBeInstanceOf(Cursor);
    expect([cursor.closed, cursor.close(), cursor.closed]).toEqual([false, true, true]);
    expect(await line(locks, 'items')).toEqual(held);
    for await (const _ of cursor);
    const again = async (): Promise<void> => {
      for await (const _ of cursor);
    };
    expect(await errorOf(again())).toBeInstanceOf(LockLostError);
  });

  it('does not wait for itself', async () => {
    const { catalogue: from, locks } = await catalogue();
    from.source.items = async function* () {
      yield await errorOf(locks.acquire('items'));
      return '';
    };
    for await (const error of await from.promised()) expect(error).toBeInstanceOf(LockReentrancyError);
  });
});

let made: Readable;

function slow(): Readable {
  made = Readable.from(
    (async function* () {
      for (let chunk = 0; chunk < 3; chunk += 1) {
        yield `chunk ${chunk}\n`;
        await aMoment();
      }
    })(),
  );
  return made;
}

/** Yields one chunk, and then nothing, until it is destroyed. */
function endless(): Readable {
  made = new Readable({ read() {} });
  made.push('chunk\n');
  return made;
}

@Controller()
class Files {
  @Get('file')
  @Locked('file')
  async file(): Promise<StreamableFile> {
    return new StreamableFile(slow());
  }

  @Get('endless')
  @Locked('file')
  async endless(): Promise<StreamableFile> {
    return new StreamableFile(endless());
  }

  @Get('readable')
  @Locked('file')
  async readable(): Promise<Readable> {
    return slow();
  }

  @Get('web')
  @Locked('file')
  async web(): Promise<ReadableStream> {
    return Readable.toWeb(slow());
  }

  @Get('observable')
  @Locked('file')
  observable(): Observable<StreamableFile> {
    return of(new StreamableFile(slow()));
  }

  @Get('intercepted')
  @UseInterceptors(LockInterceptor('file'))
  intercepted(): StreamableFile {
    return new StreamableFile(slow());
  }

  @Get('intercepted-endless')
  @UseInterceptors(LockInterceptor('file'))
  interceptedEndless(): StreamableFile {
    return new StreamableFile(endless());
  }

  @Get('generator')
  @Locked('file')
  async *generator(): AsyncGenerator<unknown> {
    yield* slow();
  }

  @Locked('file', { maxHoldMs: 50 })
  async short(): Promise<Readable> {
    return endless();
  }

  @Locked('file', { maxHoldMs: 50 })
  async shortWeb(): Promise<ReadableStream> {
    return Readable.toWeb(endless());
  }
}

const files = { imports: [LockModule.forRoot()], controllers: [Files] };

describe('a response that is streamed', () => {
  it.each(['file', 'readable', 'web', 'observable', 'intercepted', 'generator'])('%s: to its end', async (path) => {
    const get = await serve(files);
    const locks = get.app.get(LockService);
    const ends: { holders: number }[] = [];
    locks.subscribe(({ type }) => {
      if (type === 'released') ends.push({ holders: made.readableEnded ? 0 : 1 });
    });
    const answer = await get(`/${path}`);
    expect([answer.status, await answer.text()]).toEqual([200, 'chunk 0\nchunk 1\nchunk 2\n']);
    await until(() => ends.length > 0);
    expect(ends).toEqual([{ holders: 0 }]);
    expect(await line(locks, 'file')).toEqual(nobody);
  });

  it.each(['endless', 'intercepted-endless'])('%s: until the client has gone', async (path) => {
    const get = await serve(files);
    const locks = get.app.get(LockService);
    const leave = new AbortController();
    const answer = await get(`/${path}`, { signal: leave.signal });
    await answer.body!.getReader().read();
    expect(await line(locks, 'file')).toEqual(held);
    leave.abort();
    await until(async () => (await line(locks, 'file')).holders === 0);
    expect(made.destroyed).toBe(true);
  });

  it('is destroyed when the lock is lost', async () => {
    const { app } = await serve(files);
    const controller = app.get(Files);
    const readable = await controller.short();
    const [error] = (await once(readable.resume(), 'error')) as unknown[];
    expect(error).toBeInstanceOf(LockLostError);

    const reader = (await controller.shortWeb()).getReader();
    await reader.read();
    expect(await errorOf(reader.read())).toBeInstanceOf(LockLostError);
    await until(() => made.destroyed);
  });

  it('and read by nobody when the lock is lost, ends nothing else', async () => {
    const { app } = await serve(files);
    await app.get(Files).short();
    await until(() => made.destroyed);
    await aMoment();
  });
});

describe('an iterator that is ended while it is asked', () => {
  it('keeps the lock until it has answered', async () => {
    room = new Room();
    const { catalogue: source, locks } = await catalogue();
    const first = (await source.rooms())[Symbol.asyncIterator]();
    const asked = first.next();
    await until(() => room.visits === 1);
    expect(await first.return!()).toEqual({ done: true, value: undefined });
    expect(await line(locks, 'items')).toEqual(held);
    room.open();
    expect(await asked).toEqual({ done: false, value: 'left' });
    await until(async () => (await line(locks, 'items')).holders === 0);
    expect(await first.next()).toEqual({ done: true, value: undefined });
  });
});

describe('what goes on in the answer of a web stream', () => {
  it('is cancelled with it', async () => {
    const { app } = await serve(files);
    const stream = await app.get(Files).web();
    await stream.cancel();
    await until(async () => (await line(app.get(LockService), 'file')).holders === 0);
    expect(made.destroyed).toBe(true);
  });

  it('is an Observable when asked for', async () => {
    const { catalogue: source } = await catalogue();
    expect(await lastValueFrom(from(source.items()))).toBe('items');
  });
});
