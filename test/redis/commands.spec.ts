import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { LockManager, type LockManagerOptions } from '../../lib/index.js';
import { RedisBackend } from '../../lib/redis/index.js';
import { CommandWatch, type SeenCommand } from '../support/redis-commands.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

jest.setTimeout(60_000);

/** What DESIGN promises of the traffic, counted by the server itself. */
describeOnRedis('what a lock costs, in commands', () => {
  let server: RedisServer;
  let watch: CommandWatch;
  let managers: LockManager[];

  beforeEach(async () => {
    managers = [];
    server = await startRedisServer();
    watch = await CommandWatch.start(server);
  });
  afterEach(async () => {
    await Promise.all(managers.map((manager) => manager.close()));
    watch.stop();
    await server.stop();
  });

  /** As another process would be: with a backend, and so with connections, of its own. They are up, and know the scripts. */
  async function connected(options: Partial<LockManagerOptions> = {}): Promise<LockManager> {
    const manager = new LockManager({
      backend: new RedisBackend({ url: server.url }),
      leaseMs: 20_000,
      waitMs: 60_000,
      ...options,
    });
    managers.push(manager);
    // It would wait, so the connection for messages is up as well.
    await (await manager.acquire('warm-up')).release();
    return manager;
  }

  it('2 while nobody else wants it', async () => {
    const manager = await connected();
    await watch.take();
    for (let index = 0; index < 5; index += 1) await (await manager.acquire('free')).release();
    const { sent, pushes } = await watch.take();
    expect(sent.map((command) => callsOf(command).join())).toEqual(
      Array.from({ length: 5 }, () => ['attempt', 'withdraw']).flat(),
    );
    expect(sent.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, () => 'evalsha'));
    expect(pushes).toEqual([]);
  });

  it('2 for a hundred in a row, by a process that retains it', async () => {
    const manager = await connected({ retainMs: 10_000, localHandOffs: 99 });
    await watch.take();
    for (let index = 0; index < 100; index += 1) await (await manager.acquire('free')).release();
    const { sent, pushes } = await watch.take();
    expect(sent.map((command) => callsOf(command).join())).toEqual(['attempt', 'withdraw']);
    expect(pushes).toEqual([]);
  });

  it('2 and a push for each that goes from process to process', async () => {
    const both = [await connected({ localHandOffs: 0 }), await connected({ localHandOffs: 0 })];
    await watch.take();
    const inTurn: number[] = [];
    const callers = Array.from({ length: 100 }, (_, index) => index % 2);
    await Promise.all(callers.map((process) => both[process]!.run('wanted', async () => void inTurn.push(process))));
    const { sent, pushes } = await watch.take();
    expect(inTurn).toHaveLength(100);
    expect(inTurn.filter((process, index) => process !== inTurn[index - 1]).length).toBeGreaterThan(1);
    expect(sent.length).toBeLessThanOrEqual(2 * callers.length);
    expect(pushes.length).toBeLessThanOrEqual(callers.length);
  });

  it('2 for a hundred free keys that callers want together', async () => {
    const manager = await connected();
    await watch.take();
    const keys = Array.from({ length: 100 }, (_, index) => `free ${index}`);
    await Promise.all(keys.map(async (key) => (await manager.acquire(key)).release()));
    const { sent } = await watch.take();
    expect(sent.map((command) => callsOf(command).length)).toEqual([100, 100]);
  });

  it('1 in a lease for a hundred callers of a process that wait', async () => {
    const leaseMs = 4_000;
    const holder = await connected({ leaseMs });
    const waiting = await connected({ leaseMs });
    await watch.take();
    const lock = await holder.acquire('long');
    const gone = new AbortController();
    setMaxListeners(0, gone.signal);
    const waiters = Array.from({ length: 100 }, () => waiting.acquire('long', { signal: gone.signal }).catch(() => 0));
    await sleep(500);
    const joined = await watch.take();
    expect(joined.sent.flatMap(callsOf).filter((verb) => verb === 'attempt')).toHaveLength(2);

    await sleep(2 * leaseMs);
    const idle = await watch.take();
    const asked = idle.sent.flatMap(callsOf).filter((verb) => verb === 'attempt');
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(idle.sent.flatMap(callsOf).every((verb) => ['attempt', 'renew'].includes(verb))).toBe(true);
    gone.abort();
    await Promise.all(waiters);
    await lock.release();
  });

  it('at most 8 in a third of a lease for a thousand that are held', async () => {
    const leaseMs = 6_000;
    const manager = await connected({ leaseMs });
    const locks = await Promise.all(Array.from({ length: 1_000 }, (_, index) => manager.acquire(`held ${index}`)));
    await watch.take();
    await sleep(leaseMs);
    const { sent } = await watch.take();
    const calls = sent.flatMap(callsOf);
    expect(new Set(calls)).toEqual(new Set(['renew']));
    const renewals = calls.length;
    expect(renewals).toBeGreaterThanOrEqual(2_000);
    expect(sent.length).toBeLessThanOrEqual((8 * renewals) / locks.length);
    expect(locks.every(({ held }) => held)).toBe(true);
    await Promise.all(locks.map((lock) => lock.release()));
  });
});

const VERBS: Readonly<Record<string, string>> = {
  '+': 'attempt',
  '?': 'attempt',
  '*': 'attempt',
  '!': 'attempt',
  '=': 'renew',
  '-': 'withdraw',
};

/** What its claims ask for, of one command. */
function callsOf({ name, args }: SeenCommand): string[] {
  if (name !== 'evalsha' && name !== 'eval') return [name];
  return args.slice(3 + Number(args[1])).map((call) => VERBS[call[0]!]!);
}
