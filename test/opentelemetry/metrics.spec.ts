import { hasSubscribers } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LockLostError, LockManager, LockReentrancyError, LockUnavailableError } from 'nestjs-locked';
import { always, FaultyBackend } from 'nestjs-locked/conformance';
import { MemoryBackend } from 'nestjs-locked/memory';
import { observeLocks } from 'nestjs-locked/opentelemetry';
import { TestingBackend } from 'nestjs-locked/testing';
import { until } from '../support/until.js';
import { Telemetry } from './telemetry.js';

const SITE = { site: 'Orders.ship' };
const SUBJECT = { 'lock.system': 'memory', 'lock.service': 'orders', 'lock.site': 'Orders.ship' };

let telemetry: Telemetry;
let stop: () => void;
let locks: LockManager;

beforeEach(() => {
  telemetry = new Telemetry();
  stop = observeLocks();
  locks = new LockManager({ backend: new MemoryBackend(), name: 'orders' });
});
afterEach(async () => {
  await locks.close();
  stop();
  await telemetry.stop();
});

describe('what is measured', () => {
  it('how long locks are waited for and held, under service, system and site', async () => {
    await locks.run('order:1', SITE, () => undefined);
    await locks.run('order:2', SITE, () => undefined);
    expect(await telemetry.points('lock.wait.duration')).toEqual([
      { attributes: SUBJECT, value: 2, sum: expect.any(Number) },
    ]);
    expect(await telemetry.points('lock.hold.duration')).toEqual([
      { attributes: SUBJECT, value: 2, sum: expect.any(Number) },
    ]);
  });

  it('seconds', async () => {
    const first = await locks.acquire('a');
    const second = locks.acquire('a');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await first.release();
    await (await second).release();
    for (const name of ['lock.wait.duration', 'lock.hold.duration']) {
      const [{ sum } = { sum: 0 }] = await telemetry.points(name);
      expect(sum).toBeGreaterThan(0.29);
      expect(sum).toBeLessThan(30);
    }
  });

  it('who holds and who waits now', async () => {
    const first = await locks.acquire('a', SITE);
    const second = locks.acquire('a', SITE);
    expect(await telemetry.points('lock.held')).toEqual([{ attributes: SUBJECT, value: 1, sum: undefined }]);
    expect(await telemetry.points('lock.waiting')).toEqual([{ attributes: SUBJECT, value: 1, sum: undefined }]);

    await first.release();
    await (await second).release();
    expect([await telemetry.total('lock.held'), await telemetry.total('lock.waiting')]).toEqual([0, 0]);
    // One of the two was handed over within the process.
    expect(await telemetry.total('lock.hold.duration')).toBe(2);
  });

  it('every key of a lock of several is held; it is waited for once', async () => {
    const lock = await locks.acquire(['a', 'b', 'c']);
    expect([await telemetry.total('lock.held'), await telemetry.total('lock.wait.duration')]).toEqual([3, 1]);
    await lock.release();
    expect([await telemetry.total('lock.held'), await telemetry.total('lock.hold.duration')]).toEqual([0, 3]);
  });

  it('who does not get a lock, by reason', async () => {
    const lock = await locks.acquire('a');
    expect(await locks.tryAcquire('a', SITE)).toBeNull();
    await expect(locks.acquire('a', { waitMs: 20 })).rejects.toThrow(LockUnavailableError);
    await expect(locks.acquire('a', { signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout');
    await expect(locks.run('b', () => locks.acquire('b'))).rejects.toThrow(LockReentrancyError);
    expect(await telemetry.total('lock.unavailable', { 'error.type': 'busy', ...SUBJECT })).toBe(1);
    expect(await telemetry.total('lock.unavailable', { 'error.type': 'busy' })).toBe(2);
    expect(await telemetry.total('lock.unavailable', { 'error.type': 'aborted' })).toBe(1);
    expect(await telemetry.total('lock.unavailable', { 'error.type': 'reentrancy' })).toBe(1);
    expect(await telemetry.total('lock.unavailable')).toBe(4);
    // Each has waited, too.
    expect(await telemetry.total('lock.wait.duration', { 'error.type': 'busy' })).toBe(2);
    await lock.release();
    await locks.close();
    await expect(locks.acquire('a')).rejects.toThrow('closed');
    expect(await telemetry.total('lock.unavailable', { 'error.type': 'backend' })).toBe(1);
    expect([await telemetry.total('lock.held'), await telemetry.total('lock.waiting')]).toEqual([0, 0]);
  });

  it('a lock that is lost, once, by reason', async () => {
    const backend = new TestingBackend();
    const own = new LockManager({ backend, name: 'orders', leaseMs: 200 });
    const lock = await own.acquire('a');
    await backend.lose('a');
    await until('it is lost', () => lock.signal.aborted);
    await lock.release();
    const reason = (lock.signal.reason as LockLostError).reason;
    expect(await telemetry.points('lock.losses')).toEqual([
      {
        attributes: { 'lock.system': 'testing', 'lock.service': 'orders', 'error.type': reason },
        value: 1,
        sum: undefined,
      },
    ]);
    expect(await telemetry.total('lock.hold.duration', { 'error.type': reason })).toBe(1);
    expect(await telemetry.total('lock.hold.duration')).toBe(1);
    expect(await telemetry.total('lock.held')).toBe(0);
    await own.close();
  });

  it('a lock that its release finds gone: it ended once, and was lost', async () => {
    const backend = new TestingBackend();
    const own = new LockManager({ backend });
    const lock = await own.acquire('a');
    await backend.expire('a');
    await lock.release();
    expect(await telemetry.total('lock.losses', { 'error.type': 'claim-gone' })).toBe(1);
    expect(await telemetry.total('lock.hold.duration')).toBe(1);
    expect(await telemetry.total('lock.held')).toBe(0);
    await own.close();
  });

  it('renewals and releases that failed', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const own = new LockManager({ backend, leaseMs: 300 });
    const lock = await own.acquire('a');
    backend.plan = always(['renew', 'withdraw'], 'fail');
    const other = await own.acquire('b');
    await other.release();
    expect(await telemetry.total('lock.release.failures')).toBe(1);
    await until('it is lost', () => lock.signal.aborted);
    expect(await telemetry.total('lock.renewal.failures')).toBeGreaterThan(0);
    await own.close();
  });
});

describe('how many series there are', () => {
  it('as many as sites, however many keys', async () => {
    for (let n = 0; n < 500; n += 1) await locks.run(`order:${n}`, SITE, () => undefined);
    expect(await telemetry.points('lock.wait.duration')).toHaveLength(1);
    expect(JSON.stringify(await telemetry.points('lock.hold.duration'))).not.toContain('order:');
  });

  it('a bounded number of them, where sites are not', async () => {
    for (let n = 0; n < 500; n += 1) await locks.run('a', { site: `site ${n}` }, () => undefined);
    const points = await telemetry.points('lock.wait.duration');
    expect(points).toHaveLength(201);
    const overflow = { 'lock.system': 'memory', 'lock.service': 'orders', 'lock.site': '_OTHER' };
    expect(points.filter(({ value }) => value > 1)).toEqual([
      { attributes: overflow, value: 300, sum: expect.any(Number) },
    ]);
  });

  it('as many as templates; one that throws is none', async () => {
    stop();
    stop = observeLocks({
      keyTemplate: (key) => {
        if (key === 'odd') throw new Error('what is that?');
        return key.replace(/\d+/g, '{id}');
      },
    });
    await locks.run('order:1', () => undefined);
    await locks.run(['order:2', 'order:3', 'seat:7'], () => undefined);
    await locks.run('odd', () => undefined);
    const template = (name: string): Promise<number> =>
      telemetry.total('lock.wait.duration', { 'lock.key.template': name });
    expect([await template('order:{id}'), await template('order:{id} + seat:{id}')]).toEqual([1, 1]);
    expect(await telemetry.total('lock.hold.duration', { 'lock.key.template': 'order:{id}' })).toBe(3);
    expect(await telemetry.total('lock.wait.duration')).toBe(3);
  });
});

describe('observing', () => {
  it('twice counts once, until both have stopped', async () => {
    const stopAgain = observeLocks();
    await locks.run('a', () => undefined);
    stop();
    stop();
    await locks.run('a', () => undefined);
    expect(await telemetry.total('lock.wait.duration')).toBe(2);
    stopAgain();
    await locks.run('a', () => undefined);
    expect(await telemetry.total('lock.wait.duration')).toBe(2);
  });

  it('twice, with another template, is refused', () => {
    expect(() => observeLocks({ keyTemplate: (key) => key })).toThrow('with another keyTemplate');
    expect(() => observeLocks({ keyTemplate: 'order:*' as never })).toThrow('keyTemplate must be a function');
  });

  it('without an SDK listens to nothing', async () => {
    stop();
    await telemetry.stop();
    stop = observeLocks();
    const listened = ['nestjs-locked', ...['acquire', 'hold'].map((call) => `tracing:nestjs-locked:${call}:start`)];
    expect(listened.map((name) => hasSubscribers(name))).toEqual([false, false, false]);
    stop();
    telemetry = new Telemetry();
    stop = observeLocks();
    expect(listened.map((name) => hasSubscribers(name))).toEqual([true, true, true]);
    stop();
    expect(listened.map((name) => hasSubscribers(name))).toEqual([false, false, false]);
  });

  it('counts nothing out that it has not counted in', async () => {
    stop();
    const held = await locks.acquire('a');
    const waiting = locks.acquire('a');
    stop = observeLocks();
    await held.release();
    const late = await waiting;
    expect([await telemetry.total('lock.held'), await telemetry.total('lock.waiting')]).toEqual([1, 0]);
    await late.release();
    expect(await telemetry.total('lock.held')).toBe(0);
  });

  it('of two services tells them apart', async () => {
    const other = new LockManager({ backend: new MemoryBackend(), name: 'stock' });
    await Promise.all([locks.run('a', () => undefined), other.run('a', () => undefined)]);
    expect(await telemetry.total('lock.held')).toBe(0);
    for (const service of ['orders', 'stock'])
      expect(await telemetry.total('lock.hold.duration', { 'lock.service': service })).toBe(1);
    await other.close();
  });
});
