import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { contenderCalled } from '../contenders/index.js';
import { keyOf, type Locker, type Release } from '../contenders/contender.js';
import { crowd } from '../measure/crowd.js';
import { locksInTurn } from '../measure/free-keys.js';
import { inCompany } from '../measure/in-company.js';
import { type Answer, type Footprint, type Order, type Part, sharedNow } from './actor.js';

const lockers = new Map<string, Locker>();
const held = new Map<string, Release>();

/** Nobody else hears how those end that wait for ever, and a listener for each would be counted as theirs. */
const failures: unknown[] = [];
process.on('unhandledRejection', (error) => void failures.push(error));

const part: Part = {
  async open(name, url) {
    await lockers.get(name)?.close();
    lockers.set(name, await contenderCalled(name).open(url));
  },
  locksInTurn: (name, callers, locks) =>
    locksInTurn(lockerOf(name), (key) => keyOf(contenderCalled(name), key), callers, locks),
  crowd: (name, terms) => crowd(lockerOf(name), terms),
  async hold(name, key) {
    held.set(`${name} ${key}`, await lockerOf(name).acquire(key));
  },
  async letGo(name, key) {
    const release = held.get(`${name} ${key}`)!;
    const at = sharedNow();
    await release();
    return at;
  },
  async take(name, key) {
    const release = await lockerOf(name).acquire(key);
    const at = sharedNow();
    await release();
    return at;
  },
  async holdMany(name, keys) {
    const locker = lockerOf(name);
    await (
      await locker.acquire('warm-up')
    )();
    const releases: Release[] = [];
    const before = footprint();
    await inCompany(keys, async (index) => void releases.push(await locker.acquire(`held:${index}`)));
    await sleep(50);
    const { heapBytes } = footprint();
    for (const [index, release] of releases.entries()) held.set(`${name} held:${index}`, release);
    return (heapBytes - before.heapBytes) / keys;
  },
  async waitMany(name, keys, callers) {
    const before = footprint();
    await startWaiting(name, keys, callers);
    const after = footprint();
    const each = (what: keyof Footprint): number => (after[what] - before[what]) / callers;
    return { heapBytes: each('heapBytes'), residentBytes: each('residentBytes') };
  },
  async countTimers(name, keys, callers) {
    const timers = new Set<number>();
    const hook = createHook({
      init: (id, type) => void (type === 'Timeout' && timers.add(id)),
      destroy: (id) => void timers.delete(id),
    }).enable();
    await startWaiting(name, keys, callers);
    hook.disable();
    return timers.size;
  },
  async idle(forMs) {
    const before = process.cpuUsage();
    await sleep(forMs);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  },
};

const BUNDLE = 200;

/** For ever, or until the process ends. */
async function startWaiting(name: string, keys: number, callers: number): Promise<void> {
  const locker = lockerOf(name);
  const waiting: Promise<unknown>[] = [];
  for (let index = 0; index < callers; index += 1) {
    waiting.push(locker.acquire(`held:${index % keys}`));
    // No faster than the server answers: a burst would measure buffers, and on a busy machine go unanswered for too long.
    if (index % BUNDLE === BUNDLE - 1) await (await locker.acquire('answered'))();
  }
  await sleep(500);
  if (failures.length > 0) throw new Error(`${failures.length} of those who wait were refused`, { cause: failures[0] });
}

function footprint(): Footprint {
  // Run with --expose-gc. Twice: what the first frees may keep more alive.
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss };
}

function lockerOf(name: string): Locker {
  const locker = lockers.get(name);
  if (locker === undefined) throw new Error(`${name} is not open`);
  return locker;
}

process.on('message', (order: Order) => void obey(order));
// What is held or waits ends with the process.
process.on('disconnect', () => process.exit());

async function obey({ number, verb, args }: Order): Promise<void> {
  const act = part[verb] as (...args: readonly unknown[]) => Promise<unknown>;
  const answer: Answer = await act(...args).then(
    (value) => ({ number, value }),
    (error: Error) => ({ number, error: error.stack ?? String(error) }),
  );
  process.send!(answer);
}
