import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { lastValueFrom, Observable, of, toArray } from 'rxjs';
import { type Busy, Locked, type LockedOptions, LockModule, LockService, LockUnavailableError } from 'nestjs-locked';
import { errorOf, line, start, until } from './apps.js';

let told: Busy[] = [];
let ran = 0;

function remember<Answer>(answer: Answer): (busy: Busy) => Answer {
  return (busy) => {
    told.push(busy);
    return answer;
  };
}

@Injectable()
class Jobs {
  @Locked('job', { onBusy: 'skip' })
  async skip(): Promise<string | undefined> {
    return this.run();
  }

  @Locked('job', { onBusy: 'skip', waitMs: 10_000 })
  async patientSkip(): Promise<string | undefined> {
    return this.run();
  }

  @Locked(['b', 'job'], { onBusy: remember('busy') })
  async answer(): Promise<string> {
    return this.run();
  }

  @Locked('job', { onBusy: async () => 'busy later' })
  async answerLater(): Promise<string> {
    return this.run();
  }

  @Locked('job', {
    onBusy: ({ error }) => {
      throw new Error(`mine: ${error.code}`);
    },
  })
  async fail(): Promise<string> {
    return this.run();
  }

  @Locked('job', { onBusy: 'throw', waitMs: 0 })
  async refuse(): Promise<string> {
    return this.run();
  }

  @Locked('job', { onBusy: 'skip' })
  skipObservable(): Observable<string | undefined> {
    return of(this.run());
  }

  @Locked('job', { onBusy: remember('busy') })
  answerObservable(): Observable<string> {
    return of(this.run());
  }

  @Locked('job', { onBusy: () => of('busy', 'twice') })
  answerByObservable(): Observable<string> {
    return of(this.run());
  }

  @Locked('job', { onBusy: 'skip' })
  async *skipGenerator(): AsyncGenerator<string> {
    yield this.run();
  }

  @Locked('job', { onBusy: () => 'busy' })
  async *answerGenerator(): AsyncGenerator<string> {
    yield this.run();
  }

  @Locked('outer', { onBusy: 'skip' })
  async nested(): Promise<string | undefined> {
    return this.refuse();
  }

  @Locked('outer', { onBusy: 'skip' })
  nestedObservable(): Observable<string | undefined> {
    return new Observable((subscriber) => {
      this.refuse().then(
        (value) => subscriber.next(value),
        (error: unknown) => subscriber.error(error),
      );
    });
  }

  @Locked('outer', { onBusy: 'skip' })
  async *nestedGenerator(): AsyncGenerator<string> {
    yield await this.refuse();
  }

  private run(): string {
    ran += 1;
    return 'ran';
  }
}

async function jobs(): Promise<{ jobs: Jobs; locks: LockService }> {
  told = [];
  ran = 0;
  const app = await start({ imports: [LockModule.forRoot()], providers: [Jobs] });
  return { jobs: app.get(Jobs), locks: app.get(LockService) };
}

async function all(items: AsyncIterable<string>): Promise<string[]> {
  const seen: string[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

const ways: [what: string, call: (jobs: Jobs) => Promise<unknown>, busy: unknown, free: unknown][] = [
  ['skip: undefined', (jobs) => jobs.skip(), undefined, 'ran'],
  ['a function: what it returns', (jobs) => jobs.answer(), 'busy', 'ran'],
  ['an async function: what that resolves to', (jobs) => jobs.answerLater(), 'busy later', 'ran'],
  ['skip, of an Observable: undefined, once', (jobs) => list(jobs.skipObservable()), [undefined], ['ran']],
  ['a function, of an Observable: its value', (jobs) => list(jobs.answerObservable()), ['busy'], ['ran']],
  ['an Observable, of one', (jobs) => list(jobs.answerByObservable()), ['busy', 'twice'], ['ran']],
  ['skip, of a generator: nothing', (jobs) => all(jobs.skipGenerator()), [], ['ran']],
  ['a function, of a generator: one item', (jobs) => all(jobs.answerGenerator()), ['busy'], ['ran']],
];

function list(observable: Observable<unknown>): Promise<unknown[]> {
  return lastValueFrom(observable.pipe(toArray()));
}

describe('onBusy', () => {
  it.each(ways)('%s', async (_what, call, busy, free) => {
    const { jobs: service, locks } = await jobs();
    const other = await locks.acquire('job');
    const startedAt = Date.now();
    expect(await call(service)).toEqual(busy);
    // At once, and not after the ten seconds that are the default.
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(ran).toBe(0);
    await other.release();
    expect(await call(service)).toEqual(free);
    expect(ran).toBe(1);
  });

  it('a function is told the keys and the error', async () => {
    const { jobs: service, locks } = await jobs();
    const other = await locks.acquire('job');
    await service.answer();
    expect(told).toEqual([{ key: 'b + job', keys: ['b', 'job'], error: expect.any(LockUnavailableError) }]);
    await other.release();
  });

  it('a function that throws has its error thrown', async () => {
    const { jobs: service, locks } = await jobs();
    await locks.acquire('job');
    expect(await errorOf(service.fail())).toMatchObject({ message: 'mine: LOCK_UNAVAILABLE' });
  });

  it('waits if waitMs is given', async () => {
    const { jobs: service, locks } = await jobs();
    const other = await locks.acquire('job');
    const skipping = service.patientSkip();
    await until(async () => (await line(locks, 'job')).waiters === 1);
    await other.release();
    expect(await skipping).toBe('ran');
  });

  it("'throw' throws", async () => {
    const { jobs: service, locks } = await jobs();
    await locks.acquire('job');
    expect(await errorOf(service.refuse())).toBeInstanceOf(LockUnavailableError);
  });

  it('does not take a lock that the body failed to get for its own', async () => {
    const { jobs: service, locks } = await jobs();
    await locks.acquire('job');
    const errors = [
      await errorOf(service.nested()),
      await errorOf(list(service.nestedObservable())),
      await errorOf(all(service.nestedGenerator())),
    ];
    for (const error of errors) expect(error).toMatchObject({ code: 'LOCK_UNAVAILABLE', key: 'job' });
    expect(await line(locks, 'outer')).toEqual({ holders: 0, waiters: 0 });
  });

  it('changes nothing but contention: an abort, a closed manager', async () => {
    const options: LockedOptions = { onBusy: 'skip', signal: AbortSignal.abort(new Error('aborted')) };
    @Injectable()
    class Aborted {
      @Locked('job', options)
      async run(): Promise<void> {}

      @Locked('job', options)
      observe(): Observable<void> {
        return of(undefined);
      }
    }
    const app = await start({ imports: [LockModule.forRoot()], providers: [Aborted] });
    expect(await errorOf(app.get(Aborted).run())).toMatchObject({ message: 'aborted' });
    expect(await errorOf(lastValueFrom(app.get(Aborted).observe()))).toMatchObject({ message: 'aborted' });

    const { jobs: service, locks } = await jobs();
    await locks.drain();
    expect(await errorOf(service.skip())).toMatchObject({ code: 'LOCK_BACKEND' });
  });

  it('a signal given as an option ends the waiting of an Observable, and is left alone afterwards', async () => {
    const abort = new AbortController();
    @Injectable()
    class Patient {
      @Locked('job', { waitMs: Infinity, signal: abort.signal })
      observe(): Observable<number> {
        return of(1);
      }
    }
    const app = await start({ imports: [LockModule.forRoot()], providers: [Patient] });
    const locks = app.get(LockService);
    expect(await lastValueFrom(app.get(Patient).observe())).toBe(1);
    await locks.acquire('job');
    const waiting = errorOf(lastValueFrom(app.get(Patient).observe()));
    await until(async () => (await line(locks, 'job')).waiters === 1);
    abort.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
  });
});
