import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getLockServiceToken, type Lock, LockConfigError, Locked, LockModule, LockService } from 'nestjs-locked';
import { giveLocks, TestingBackend, UnlockedLockService } from 'nestjs-locked/testing';
import { filesUnder } from '../package/source.js';
import { errorOf, Room, start } from '../nest/apps.js';

@Injectable()
class Visits {
  constructor(readonly room: Room) {}

  @Locked('room', { waitMs: 0 })
  async visit(): Promise<Lock | undefined> {
    await this.room.stay();
    return LockService.current();
  }

  @Locked('room', { service: 'other', waitMs: 0 })
  async visitOther(): Promise<void> {}

  @Locked((key: string) => key)
  async of(_key: string): Promise<void> {}
}

/** Two at once, which with locks are one and a LockUnavailableError. */
async function both(visits: Visits): Promise<(Lock | undefined)[]> {
  const visiting = [visits.visit(), visits.visit()];
  visits.room.open();
  return Promise.all(visiting);
}

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

describe('UnlockedLockService', () => {
  it('lets everybody in at once, with a lock to ask', async () => {
    const visits = giveLocks(new Visits(new Room()), new UnlockedLockService());
    const [one, other] = await both(visits);
    expect(visits.room.most).toBe(2);
    expect([one?.key, other?.key]).toEqual(['room', 'room']);
    expect(new Set([one?.fencingToken, other?.fencingToken]).size).toBe(2);
  });

  it('by acquire, tryAcquire and run, nested as well', async () => {
    const locks = new UnlockedLockService();
    const held = [await locks.acquire('a'), await locks.tryAcquire('a'), await locks.acquire(['a', 'b'])];
    expect(held.map((lock) => lock?.held)).toEqual([true, true, true]);
    expect(await locks.run('a', () => locks.run('a', { waitMs: 0 }, ({ key }) => key))).toBe('a');
    expect((await locks.inspect('a')).holders).toEqual([]);
  });

  it('has tokens that rise, however fast', async () => {
    const locks = new UnlockedLockService();
    let last = 0n;
    for (let count = 0; count < 1_000; count += 1) {
      const { fencingToken } = await locks.acquire('a');
      expect(fencingToken).toBeGreaterThan(last);
      last = fencingToken;
    }
  });

  it('refuses keys and options that cannot be, like any other', async () => {
    const locks = new UnlockedLockService();
    expect(await errorOf(giveLocks(new Visits(new Room()), locks).of(''))).toBeInstanceOf(LockConfigError);
    expect(await errorOf(locks.run('a', { waitMs: -1 }, () => undefined))).toBeInstanceOf(LockConfigError);
  });

  it('takes the place of the services of an application', async () => {
    const module = await Test.createTestingModule({
      imports: [LockModule.forRoot(), LockModule.forRoot({ name: 'other' })],
      providers: [Visits, Room],
    })
      .overrideProvider(LockService)
      .useValue(new UnlockedLockService())
      .overrideProvider(getLockServiceToken('other'))
      .useValue(new UnlockedLockService())
      .compile();
    const visits = module.get(Visits);
    await both(visits);
    expect(visits.room.most).toBe(2);
    await module.close();
  });
});

describe('what takes no locks cannot be had by accident', () => {
  it('is refused in production', () => {
    process.env['NODE_ENV'] = 'production';
    expect(() => new UnlockedLockService()).toThrow(LockConfigError);
  });

  it('is nothing that the rest of the package knows of', () => {
    const others = [...filesUnder('lib')].filter(([path]) => !path.startsWith('testing/'));
    for (const [, text] of others) expect(text).not.toMatch(/testing\/|Unlocked[A-Z]\w*Service/);
  });

  it('is not turned on by the environment: all that is read of it is NODE_ENV, and what the application is called', () => {
    const read = [...filesUnder('lib').values()].flatMap((text) => text.match(/process\.env\W*\w*/g) ?? []);
    expect(read.length).toBeGreaterThan(0);
    expect(read.filter((name) => !/\b(NODE_ENV|npm_package_name)$/.test(name))).toEqual([]);
  });

  it('leaves every other service and application alone', async () => {
    giveLocks(new Visits(new Room()), new UnlockedLockService());
    const app = await start({ imports: [LockModule.forRoot()] });
    const visits = giveLocks(new Visits(new Room()), app.get(LockService));
    expect(await errorOf(both(visits))).toMatchObject({ code: 'LOCK_UNAVAILABLE' });
    expect(await errorOf(new Visits(new Room()).visit())).toBeInstanceOf(LockConfigError);
  });
});

describe('giveLocks', () => {
  it('has an instance that was made by new lock for real', async () => {
    const backend = new TestingBackend();
    const locks = new LockService({ backend });
    const visits = giveLocks(new Visits(new Room()), locks);
    const busy = await backend.busy('room');
    for (const visiting of [visits.visit(), visits.visitOther()]) {
      expect(await errorOf(visiting)).toMatchObject({ code: 'LOCK_UNAVAILABLE' });
    }
    await busy.release();
    await visits.visitOther();
    await locks.close();
  });

  it('serves what is inherited, and refuses what needs no locks', () => {
    class Special extends Visits {}
    const special = new Special(new Room());
    expect(giveLocks(special, new UnlockedLockService())).toBe(special);
    expect(() => giveLocks(new Room(), new UnlockedLockService())).toThrow(/Room has no @Locked method/);
  });
});
