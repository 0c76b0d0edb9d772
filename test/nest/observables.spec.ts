import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  concat,
  defer,
  EMPTY,
  firstValueFrom,
  from,
  isObservable,
  lastValueFrom,
  map,
  mergeAll,
  Observable,
  of,
} from 'rxjs';
import { Subject, throwError, toArray } from 'rxjs';
import { LockConfigError, Locked, LockLostError, LockModule, LockReentrancyError, LockService } from 'nestjs-locked';
import { LockUnavailableError } from 'nestjs-locked';
import { aMoment, errorOf, line, nobody, Room, start, until } from './apps.js';

let source: () => Observable<unknown> = () => EMPTY;
let calls = 0;
let room = new Room();

@Injectable()
class Feed {
  @Locked('feed')
  watch(): Observable<unknown> {
    calls += 1;
    return source();
  }

  @Locked('feed')
  async open(): Promise<Observable<unknown>> {
    calls += 1;
    return source();
  }

  // The compiler writes no return type down, so it is a promise that is answered.
  @Locked('feed')
  undeclared() {
    calls += 1;
    return source();
  }

  @Locked('feed')
  work(): Observable<unknown> {
    return room.stay() as never;
  }

  @Locked((key: string) => key)
  keyed(_key: string): Observable<unknown> {
    calls += 1;
    return source();
  }

  @Locked('feed', { waitMs: 0 })
  impatient(): Observable<unknown> {
    return source();
  }

  @Locked('feed', { maxHoldMs: 50 })
  short(): Observable<unknown> {
    return source();
  }

  @Locked('feed', { maxHoldMs: 50, onLost: 'ignore' })
  shortAndCareless(): Observable<unknown> {
    return source();
  }

  @Locked('feed', { onLost: 'ignore' })
  async openCareless(): Promise<Observable<unknown>> {
    return source();
  }

  @Locked('feed')
  undeclaredPromise() {
    calls += 1;
    return Promise.resolve(LockService.current()?.key);
  }

  @Locked('feed', { maxHoldMs: 50 })
  async openShort(): Promise<Observable<unknown>> {
    return source();
  }
}

async function feedOf(made: () => Observable<unknown>): Promise<{ feed: Feed; locks: LockService }> {
  source = made;
  calls = 0;
  const app = await start({ imports: [LockModule.forRoot()], providers: [Feed] });
  return { feed: app.get(Feed), locks: app.get(LockService) };
}

const held = { holders: 1, waiters: 0 };

/** What reaches a subscriber, in order, with what is in line then. */
function record(observable: Observable<unknown>, locks: LockService) {
  const seen: unknown[] = [];
  const lines: Promise<unknown>[] = [];
  const note = (what: unknown): void => {
    seen.push(what);
    lines.push(line(locks, 'feed'));
  };
  const subscription = observable.subscribe({
    next: note,
    error: (error: unknown) => note(error),
    complete: () => note('complete'),
  });
  return { seen, lines: () => Promise.all(lines), subscription };
}

/** However it is handed out, as an Observable. */
const handedOut: Record<string, (feed: Feed) => Observable<unknown>> = {
  'an Observable': (feed) => feed.watch(),
  'a promise of an Observable': (feed) => from(feed.open()).pipe(mergeAll()),
  'an Observable that the method does not declare': (feed) =>
    from(feed.undeclared() as unknown as Promise<Observable<unknown>>).pipe(mergeAll()),
};

describe.each(Object.entries(handedOut))('%s', (_how, observe) => {
  it('is held until it completes, which is told after the release', async () => {
    const subject = new Subject<number>();
    const { feed, locks } = await feedOf(() => subject);
    const { seen, lines } = record(observe(feed), locks);
    await until(() => subject.observed);
    subject.next(1);
    await aMoment();
    subject.next(2);
    subject.complete();
    await until(() => seen.length === 3);
    expect(seen).toEqual([1, 2, 'complete']);
    expect(await lines()).toEqual([held, held, nobody]);
  });

  it('is held until it fails, which is told after the release, untouched', async () => {
    const failure = new Error('mine');
    const { feed, locks } = await feedOf(() =>
      concat(
        of(1),
        throwError(() => failure),
      ),
    );
    const { seen, lines } = record(observe(feed), locks);
    await until(() => seen.length === 2);
    expect(seen[1]).toBe(failure);
    expect(await lines()).toEqual([held, nobody]);
  });

  it('is held until it is unsubscribed', async () => {
    const subject = new Subject<number>();
    const { feed, locks } = await feedOf(() => subject);
    const { seen, subscription } = record(observe(feed), locks);
    await until(() => subject.observed);
    subject.next(1);
    subscription.unsubscribe();
    expect(subject.observed).toBe(false);
    await until(async () => (await line(locks, 'feed')).holders === 0);
    expect(seen).toEqual([1]);
  });

  it('runs one by one', async () => {
    const subjects = [new Subject<number>(), new Subject<number>()];
    const left = [...subjects];
    const { feed, locks } = await feedOf(() => defer(() => left.shift()!));
    const both = Promise.all([lastValueFrom(observe(feed)), lastValueFrom(observe(feed))]);
    await until(() => subjects[0]!.observed);
    await aMoment();
    expect(subjects[1]!.observed).toBe(false);
    expect(await line(locks, 'feed')).toEqual({ holders: 1, waiters: 1 });
    subjects[0]!.next(1);
    subjects[0]!.complete();
    await until(() => subjects[1]!.observed);
    subjects[1]!.next(2);
    subjects[1]!.complete();
    expect(await both).toEqual([1, 2]);
  });

  it('knows the lock that it runs under, and does not wait for itself', async () => {
    const nested = { locks: undefined as LockService | undefined };
    const made = defer(async () => [LockService.current()?.key, await errorOf(nested.locks!.acquire('feed'))]);
    const { feed, locks } = await feedOf(() => made);
    nested.locks = locks;
    expect(await lastValueFrom(observe(feed))).toEqual(['feed', expect.any(LockReentrancyError)]);
  });
});

describe('a method that returns an Observable', () => {
  it('locks when it is subscribed, anew for every subscription', async () => {
    const { feed, locks } = await feedOf(() => of(1, 2));
    const observable = feed.watch().pipe(map((value) => value));
    expect(isObservable(observable)).toBe(true);
    await aMoment();
    expect([calls, await line(locks, 'feed')]).toEqual([0, nobody]);
    expect(await lastValueFrom(observable.pipe(toArray()))).toEqual([1, 2]);
    expect(await lastValueFrom(observable.pipe(toArray()))).toEqual([1, 2]);
    expect(calls).toBe(2);
  });

  it('unsubscribed while it waits, leaves the line and is never called', async () => {
    const { feed, locks } = await feedOf(() => of(1));
    const other = await locks.acquire('feed');
    const { seen, subscription } = record(feed.watch(), locks);
    await until(async () => (await line(locks, 'feed')).waiters === 1);
    subscription.unsubscribe();
    await until(async () => (await line(locks, 'feed')).waiters === 0);
    await other.release();
    await aMoment();
    expect([calls, seen, await line(locks, 'feed')]).toEqual([0, [], nobody]);
  });

  it('unsubscribed in the turn in which it is had, is not called, and lets go', async () => {
    const { feed, locks } = await feedOf(() => of(1));
    const events: string[] = [];
    locks.subscribe(({ type }) => void events.push(type));
    const { seen, subscription } = record(feed.watch(), locks);
    subscription.unsubscribe();
    await until(() => events.includes('released'));
    expect([calls, seen, events]).toEqual([0, [], ['acquired', 'released']]);
  });

  it('fails by the stream, never at once: busy, a key that is none, no service, what it throws itself', async () => {
    const thrown = new Error('mine');
    const { feed, locks } = await feedOf(() => {
      throw thrown;
    });
    expect(await errorOf(lastValueFrom(feed.watch()))).toBe(thrown);
    expect(await line(locks, 'feed')).toEqual(nobody);
    calls = 0;
    const other = await locks.acquire('feed');
    expect(await errorOf(lastValueFrom(feed.impatient()))).toBeInstanceOf(LockUnavailableError);
    await other.release();
    expect(await errorOf(lastValueFrom(feed.keyed('')))).toBeInstanceOf(LockConfigError);
    expect(await errorOf(lastValueFrom(new Feed().watch()))).toBeInstanceOf(LockConfigError);
    expect(calls).toBe(0);
  });
});

describe('an Observable whose lock is lost', () => {
  it.each([
    ['short', (feed: Feed) => feed.short()],
    ['openShort', (feed: Feed) => defer(() => feed.openShort()).pipe(mergeAll())],
  ])('is unsubscribed, and fails with LockLostError (%s)', async (_how, observe) => {
    const subject = new Subject<number>();
    const { feed, locks } = await feedOf(() => subject);
    const { seen } = record(observe(feed), locks);
    await until(() => seen.length === 1);
    expect(seen[0]).toBeInstanceOf(LockLostError);
    expect(subject.observed).toBe(false);
    expect(await line(locks, 'feed')).toEqual(nobody);
  });

  it("goes on to its end with onLost: 'ignore'", async () => {
    const subject = new Subject<number>();
    const { feed, locks } = await feedOf(() => subject);
    const { seen } = record(feed.shortAndCareless(), locks);
    await until(() => subject.observed);
    await until(async () => (await line(locks, 'feed')).holders === 0);
    subject.next(1);
    subject.complete();
    await until(() => seen.length === 2);
    expect(seen).toEqual([1, 'complete']);
  });

  it('that nobody subscribed to in time fails, and keeps no shutdown waiting', async () => {
    const { feed, locks } = await feedOf(() => of(1));
    const observable = await feed.openShort();
    await until(async () => (await line(locks, 'feed')).holders === 0);
    const closing = Date.now();
    await locks.drain();
    expect(Date.now() - closing).toBeLessThan(5_000);
    expect(await errorOf(lastValueFrom(observable))).toBeInstanceOf(LockLostError);
  });
});

describe('a promise of an Observable', () => {
  it('keeps the lock from the call on, for one round of subscriptions, and is never subscribed to without', async () => {
    const subject = new Subject<number>();
    const { feed, locks } = await feedOf(() => subject);
    const observable = await feed.open();
    expect(await line(locks, 'feed')).toEqual(held);
    const both = [record(observable, locks), record(observable, locks)];
    subject.next(1);
    both[0]!.subscription.unsubscribe();
    await aMoment();
    expect(await line(locks, 'feed')).toEqual(held);
    subject.next(2);
    both[1]!.subscription.unsubscribe();
    await until(async () => (await line(locks, 'feed')).holders === 0);
    expect(both.map(({ seen }) => seen)).toEqual([[1], [1, 2]]);
    expect(await errorOf(firstValueFrom(observable))).toBeInstanceOf(LockLostError);
    expect(subject.observed).toBe(false);
  });

  it('is not subscribed to without the lock even if a loss would not matter', async () => {
    const { feed } = await feedOf(() => of(1));
    const observable = await feed.openCareless();
    expect(await lastValueFrom(observable)).toBe(1);
    expect(await errorOf(lastValueFrom(observable))).toBeInstanceOf(LockLostError);
  });
});

describe('an Observable of a promise', () => {
  it('that is unsubscribed keeps the lock while the work behind it goes on', async () => {
    room = new Room();
    const { feed, locks } = await feedOf(() => EMPTY);
    const first = record(feed.work(), locks);
    await until(() => room.visits === 1);
    first.subscription.unsubscribe();
    const second = record(feed.work(), locks);
    await until(async () => (await line(locks, 'feed')).waiters === 1);
    room.open();
    await until(() => second.seen.length > 0);
    expect([room.visits, room.most, first.seen]).toEqual([2, 1, []]);
    await until(async () => (await line(locks, 'feed')).holders === 0);
  });
});

describe('a promise that the method does not declare', () => {
  it('is a promise', async () => {
    const { feed } = await feedOf(() => EMPTY);
    const promise = feed.undeclaredPromise();
    expect(promise).toBeInstanceOf(Promise);
    expect(await promise).toBe('feed');
    expect(await errorOf(new Feed().undeclaredPromise())).toBeInstanceOf(LockConfigError);
  });
});
