import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Sse } from '@nestjs/common';
import { Observable, of } from 'rxjs';
import { type Claim, LockBackendError, type LockErrorAnswer, type LockModuleOptions, LockService } from 'nestjs-locked';
import { Locked, LockModule, LockUnavailableError } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { type Client, Log, serve, until } from '../nest/apps.js';
import { describeOnRedis, redisInstalled, type SomeRedis, someRedis } from '../support/redis-installed.js';
import { Cell } from './cell.js';
import { entries } from './entries/index.js';
import { type EntryPointName, entryPoints } from './table.js';
import { KEY, Workshop } from './workshop.js';

let redis: SomeRedis | undefined;

beforeAll(async () => {
  if (redisInstalled) redis = await someRedis();
});

afterAll(() => redis?.stop());

/** Where no answer is rendered: the caller gets the error itself; or has no answer, and the log is told; or see below. */
type Otherwise = 'the error itself' | 'nothing' | 'an event in a response that has begun';

/** What whoever calls is told, in the words of the transport. */
const inWords: Record<EntryPointName, ((answer: LockErrorAnswer) => unknown) | Otherwise> = {
  'HTTP on Express': http,
  'HTTP on Fastify': http,
  'server-sent events on Express': 'an event in a response that has begun',
  'server-sent events on Fastify': 'an event in a response that has begun',
  'streamed file on Express': http,
  'streamed file on Fastify': http,
  'GraphQL query': graphql('handle'),
  'GraphQL mutation': graphql('handle'),
  'GraphQL field': graphql('shelf', 'handle'),
  'message over TCP': (answer) => ({ error: report(answer) }),
  'event over TCP': 'nothing',
  'message over Redis': (answer) => ({ error: report(answer) }),
  'event over Redis': 'nothing',
  'gateway on ws': exception,
  'gateway on socket.io': exception,
  '@Cron': 'nothing',
  '@Interval': 'nothing',
  '@Timeout': 'nothing',
  'BullMQ processor': ({ code }) => ({
    error: expect.objectContaining({ message: expect.stringContaining(LOGGED[code]!) }),
  }),
  'CQRS command handler': 'the error itself',
  'CQRS query handler': 'the error itself',
  'CQRS event handler': 'nothing',
  'standalone application': 'the error itself',
};

const LOGGED: Record<string, string> = { LOCK_UNAVAILABLE: 'was not to be had', LOCK_BACKEND: 'ECONNREFUSED' };

function http({ status, code, message, retryAfterSeconds, details }: LockErrorAnswer): unknown {
  const body = JSON.stringify({ statusCode: status, message, code, ...details });
  return { status, type: 'application/json; charset=utf-8', retryAfter: String(retryAfterSeconds), body };
}

function graphql(...path: string[]): (answer: LockErrorAnswer) => unknown {
  return ({ code, message, retryAfterSeconds, details }) => {
    const locations = expect.any(Array) as unknown;
    const extensions = { code, retryAfterSeconds, ...details };
    return { status: 200, body: { errors: [{ message, locations, path, extensions }], data: null } };
  };
}

function report({ code, message, retryAfterSeconds, details }: LockErrorAnswer): object {
  return { status: 'error', code, message, retryAfterSeconds, ...details };
}

function exception(answer: LockErrorAnswer): unknown {
  const cause = { pattern: 'work', data: { item: 7, by: 'friend' } };
  return { event: 'exception', data: { cause, ...report(answer) } };
}

/** The embedded backend, as if its server could not be reached. */
class UnreachableBackend extends MemoryBackend {
  override claim(...args: Parameters<MemoryBackend['claim']>): Claim {
    return { ...super.claim(...args), attempt: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.3:6379')) };
  }
}

const busy: LockErrorAnswer = {
  status: 423,
  code: 'LOCK_UNAVAILABLE',
  message: 'Locked by somebody else. Try again later.',
  retryAfterSeconds: 1,
};

const unreachable: LockErrorAnswer = {
  status: 503,
  code: 'LOCK_BACKEND',
  message: 'Locks cannot be had right now. Try again later.',
  retryAfterSeconds: 1,
};

const other: LockErrorAnswer = {
  status: 409,
  code: 'MINE',
  message: 'mine',
  retryAfterSeconds: 7,
  details: { ahead: 1, nested: { also: null } },
};

for (const name of entryPoints.filter((each) => inWords[each] !== 'an event in a response that has begun')) {
  (entries[name].needsRedis ? describeOnRedis : describe)(name, () => {
    it('tells that the key is not to be had', async () => {
      await expectAnswer(name, { waitMs: 0 }, busy, LockUnavailableError);
    });

    it('tells that locks cannot be asked for', async () => {
      await expectAnswer(
        name,
        { backend: new UnreachableBackend(), waitMs: 0, leaseMs: 100 },
        unreachable,
        LockBackendError,
      );
    });

    if (typeof inWords[name] !== 'function' || name === 'BullMQ processor') return;

    it('tells what answerError makes of it', async () => {
      await expectAnswer(name, { waitMs: 0, answerError: () => other }, other, LockUnavailableError);
    });
  });
}

async function expectAnswer(
  name: EntryPointName,
  locks: LockModuleOptions,
  answer: LockErrorAnswer,
  type: new (...args: never[]) => Error,
): Promise<void> {
  const words = inWords[name];
  const { got, log } = await call(name, locks);
  if (typeof words === 'function') expect(got).toEqual(words(answer));
  else if (words === 'the error itself') expect(got).toEqual({ error: expect.any(type) });
  // Who has nobody to tell tells the log.
  else expect(String([...log.errors, ...log.warnings])).toContain(LOGGED[answer.code]);
}

/** Has a method called while somebody else has its lock. */
async function call(name: EntryPointName, locks: LockModuleOptions): Promise<{ got: unknown; log: Log }> {
  const entryPoint = entries[name];
  const [workshop, log] = [new Workshop(entryPoint.failure()), new Log()];
  const site = { workshop, log, redis: redis?.url ?? '', locks };
  const door = await entryPoint.open(new Cell('singleton', 'above'), site);
  try {
    if (!(locks.backend instanceof UnreachableBackend)) await door.app.get(LockService).acquire(KEY);
    const got = await door.call();
    if (got === undefined) await until(() => log.errors.length + log.warnings.length > 0);
    expect(workshop.visits).toBe(0);
    return { got, log };
  } finally {
    await door.close();
  }
}

describe('server-sent events', () => {
  @Controller()
  class Feeds {
    @Sse('observable')
    @Locked(KEY)
    observable(): Observable<{ data: string }> {
      return of({ data: 'mine' });
    }

    @Sse('promise')
    @Locked(KEY)
    async promise(): Promise<Observable<{ data: string }>> {
      return of({ data: 'mine' });
    }
  }

  async function busyFeeds(log: Log): Promise<Client> {
    const ask = await serve({ imports: [LockModule.forRoot({ waitMs: 100 })], controllers: [Feeds] }, log);
    await ask.app.get(LockService).acquire(KEY);
    return ask;
  }

  it('of a method that answers a promise wait for the lock before the response begins', async () => {
    const ask = await busyFeeds(new Log());
    const answer = await ask('/promise');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([423, '1']);
  });

  it('of one that answers an Observable are begun while it waits, and Nest tells the error in them', async () => {
    const log = new Log();
    const ask = await busyFeeds(log);
    const answer = await ask('/observable');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('event: error');
    expect(log.errors).toEqual([expect.any(LockUnavailableError)]);
  });
});
