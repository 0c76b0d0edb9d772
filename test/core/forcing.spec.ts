import { hostname } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { type ClaimRequest, LockBackendError, LockConfigError } from '../../lib/core/index.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { NOTHING, outcome, remains, World } from './world.js';

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('forceRelease', () => {
  it('has the holder lose its lock at once, the next one in with a larger token, and both sides told', async () => {
    const world = new World();
    const [one, two, three] = [world.process(), world.process(), world.process()];
    const lock = await one.locks.acquire('a', { site: 'Orders.ship' });
    const next = two.locks.acquire('a');
    const [entry] = (await three.locks.inspect('a')).holders;
    expect(await three.locks.forceRelease('a', entry!)).toBe(true);
    const gained = await next;
    await settled();
    expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'forced' });
    expect(lock.held).toBe(false);
    expect(gained.fencingToken > lock.fencingToken).toBe(true);
    expect(one.events.at(-1)).toMatchObject({
      type: 'lost',
      reason: 'forced',
      claim: entry!.claim,
      site: 'Orders.ship',
    });
    expect(three.events).toMatchObject([{ type: 'forced', claim: entry!.claim, owner: { site: 'Orders.ship' } }]);
    expect(await lock.release()).toBe(false);
    expect(gained.held).toBe(true);
    expect(await three.locks.forceRelease('a', entry!)).toBe(false);
    await gained.release();
    expect(await world.line('a')).toBe(0);
    for (const { locks } of [one, two, three]) expect(remains(locks)).toEqual(NOTHING);
  });

  it('is known by the next renewal where no wake comes', async () => {
    const world = new World();
    const [one, two] = [world.process({ leaseMs: 300 }), world.process()];
    one.network.wakes = false;
    const lock = await one.locks.acquire('a');
    const [entry] = (await two.locks.inspect('a')).holders;
    await two.locks.forceRelease('a', entry!);
    expect(lock.held).toBe(true);
    await world.clock.pass(101);
    expect(lock.signal.reason).toMatchObject({ reason: 'forced' });
  });

  it('sends away the one caller that waits by the claim; those in memory behind it stand in line anew', async () => {
    const world = new World();
    const [one, two] = [world.process(), world.process()];
    const lock = await one.locks.acquire('a');
    const front = outcome(two.locks.acquire('a'));
    const behind = two.locks.acquire('a');
    await settled();
    const [entry] = (await one.locks.inspect('a')).waiters;
    expect(await one.locks.forceRelease('a', entry!)).toBe(true);
    await settled();
    expect(front).toMatchObject({ state: 'rejected', error: { code: 'LOCK_UNAVAILABLE', reason: 'forced' } });
    const { waiters } = await one.locks.inspect('a');
    expect(waiters).toMatchObject([{ position: 2 }]);
    expect(waiters[0]!.claim).not.toBe(entry!.claim);
    await lock.release();
    await (await behind).release();
    for (const { locks } of [one, two]) expect(remains(locks)).toEqual(NOTHING);
  });

  it('refuses a name that several claims have, and what is no name', async () => {
    const memory = new MemoryBackend();
    const { locks } = new World().process({ backend: memory });
    for (const id of ['first-of-12345678', 'other-of-12345678']) {
      const request: ClaimRequest = { key: 'a', id, slots: 2, leaseMs: 10_000 };
      await memory.claim(request).attempt({ queue: true });
    }
    await expect(locks.forceRelease('a', { claim: '…12345678' })).rejects.toThrow(/2 claims .* are called "…12345678"/);
    expect(await memory.inspect('a')).toHaveLength(2);
    for (const claim of ['', undefined as never]) {
      await expect(locks.forceRelease('a', { claim })).rejects.toBeInstanceOf(LockConfigError);
    }
    expect(await locks.forceRelease('a', { claim: 'first-of-12345678' })).toBe(false);
  });

  it('is LockBackendError when the backend cannot be asked', async () => {
    const memory = new MemoryBackend();
    memory.evict = () => Promise.reject(new Error('connection refused'));
    const { locks } = new World().process({ backend: memory });
    await locks.acquire('a');
    const [entry] = (await locks.inspect('a')).holders;
    await expect(locks.forceRelease('a', entry!)).rejects.toBeInstanceOf(LockBackendError);
  });
});

describe('an owner', () => {
  const ownerOf = async (options: object, site?: string) => {
    const { locks } = new World().process(options);
    await locks.acquire('a', site === undefined ? {} : { site });
    return (await locks.inspect('a')).holders[0]!.owner;
  };

  it('is the application, the host, the process and the site', async () => {
    const owner = await ownerOf({ owner: { application: 'shop' } }, 'Orders.ship');
    expect(owner).toEqual({ application: 'shop', host: hostname(), pid: process.pid, site: 'Orders.ship' });
  });

  it('is nothing where that is wanted', async () => {
    expect(await ownerOf({ owner: false }, 'Orders.ship')).toBeUndefined();
  });

  it.each(['x'.repeat(10_000), '🔒'.repeat(3_000), '\n'.repeat(10_000), '\ud800"\\:'.repeat(2_000)])(
    'is cut where it is too long, and stays text of one line: %#',
    async (long) => {
      const world = new World();
      const { locks } = world.process({ owner: { application: long } });
      await locks.acquire('a', { site: long });
      const [{ owner = '' } = {}] = await world.memory.inspect('a');
      expect(Buffer.byteLength(owner)).toBeLessThanOrEqual(200);
      expect(owner.isWellFormed() && !owner.includes('\n')).toBe(true);
      const [entry] = (await locks.inspect('a')).holders;
      const { application, site } = entry!.owner!;
      expect(application!.endsWith('…') && long.startsWith(application!.slice(0, -1))).toBe(true);
      expect(site!.length).toBeGreaterThan(10);
    },
  );

  it.each(['not json', '{}', '[1,2,"3",{}]', ''])(
    'of another version, %j, is shown as far as it is known',
    async (owner) => {
      const memory = new MemoryBackend();
      const { locks } = new World().process({ backend: memory });
      await memory.claim({ key: 'a', id: 'b', slots: 1, leaseMs: 10_000, owner }).attempt({ queue: true });
      const [entry] = (await locks.inspect('a')).holders;
      expect([undefined, { application: undefined, host: undefined, pid: undefined, site: undefined }]).toContainEqual(
        entry!.owner,
      );
    },
  );
});

describe('list', () => {
  it('tells the keys that begin with a prefix', async () => {
    const { locks } = new World().process();
    for (const key of ['a:1', 'a:2', 'b']) await locks.acquire(key);
    const keys: string[] = [];
    for await (const key of locks.list({ prefix: 'a:' })) keys.push(key);
    expect(keys.toSorted()).toEqual(['a:1', 'a:2']);
  });
});
