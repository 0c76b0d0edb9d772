import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Contender, LEASE_MS, type Release } from './contender.js';

// What an application writes that wants no package: the floor that all are measured against.

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

const ACQUIRE_WITH_FENCE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
return 0`;

/** Whoever leaves puts the next one in, and tells its process. */
const JOIN = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
redis.call('RPUSH', KEYS[3], ARGV[1])
return 0`;
const LEAVE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local next = redis.call('LPOP', KEYS[3])
if not next then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], next, 'PX', ARGV[2])
redis.call('PUBLISH', string.match(next, '^[^:]+'), next .. ' ' .. redis.call('INCR', KEYS[2]))
return 1`;

type Command = (...args: (string | number)[]) => Promise<number>;
type Scripted = Redis & Record<'acquireWithFence' | 'join' | 'leave' | 'release', Command>;

const FENCE = 'by-hand:fence';
const SCRIPTS = ['eval', 'evalsha'];

export const byHand = polling('by hand', { everyMs: 5 });
export const byHandFenced = polling('by hand, with a fence', { everyMs: 5, fenced: true });
/** ioredis then collects what is sent in one turn of the event loop into one write. Off unless one asks for it. */
export const byHandPipelined = polling('by hand, autopipelining', {
  everyMs: 5,
  autoPipelining: true,
});

/** A queue in Redis, and a push to whose turn it is. No lease of who waits, no repair of a lost message. */
export const byHandQueue: Contender = {
  name: 'by hand, a pushed queue',
  kind: 'by hand',
  sends: [...SCRIPTS, 'subscribe'],
  async open(url) {
    const client = connect(url);
    const messages = new Redis(url);
    const node = randomUUID();
    const waiting = new Map<string, () => void>();
    messages.on('message', (_channel: string, message: string) => {
      const [id] = message.split(' ') as [string];
      waiting.get(id)?.();
      waiting.delete(id);
    });
    await messages.subscribe(node);
    return {
      async acquire(key) {
        const id = `${node}:${randomUUID()}`;
        const turn = new Promise<void>((resolve) => waiting.set(id, resolve));
        const fence = await client.join(3, key, FENCE, `${key}:queue`, id, LEASE_MS);
        if (fence === 0) await turn;
        else waiting.delete(id);
        return () => client.leave(3, key, FENCE, `${key}:queue`, id, LEASE_MS);
      },
      async close() {
        client.disconnect();
        messages.disconnect();
      },
    };
  },
};

/** The same, with a queue of the process before it: of one process, one caller at a time asks Redis. */
export const byHandInTurn: Contender = {
  name: 'by hand, a queue in the process',
  kind: 'by hand',
  sends: byHand.sends,
  async open(url) {
    const locker = await byHand.open(url);
    const tails = new Map<string, Promise<void>>();
    return {
      async acquire(key) {
        const before = tails.get(key);
        let leave!: () => void;
        tails.set(key, new Promise((resolve) => (leave = resolve)));
        await before;
        const release = await locker.acquire(key);
        return async () => {
          await release();
          leave();
        };
      },
      close: () => locker.close(),
    };
  },
};

function polling(
  name: string,
  choice: { readonly everyMs: number; readonly fenced?: boolean; readonly autoPipelining?: boolean },
): Contender {
  const { everyMs, fenced = false, autoPipelining = false } = choice;
  return {
    name,
    kind: 'by hand',
    // With a fence, it is a script that calls SET.
    sends: fenced ? SCRIPTS : [...SCRIPTS, 'set'],
    async open(url) {
      const client = connect(url, autoPipelining);
      await client.ping();
      const taken = async (key: string, id: string): Promise<boolean> => {
        if (fenced) return (await client.acquireWithFence(2, key, FENCE, id, LEASE_MS)) > 0;
        return (await client.set(key, id, 'PX', LEASE_MS, 'NX')) === 'OK';
      };
      return {
        async acquire(key): Promise<Release> {
          const id = randomUUID();
          while (!(await taken(key, id))) await sleep(everyMs);
          return () => client.release(1, key, id);
        },
        close: async () => client.disconnect(),
      };
    },
  };
}

function connect(url: string, enableAutoPipelining = false): Scripted {
  const client = new Redis(url, { enableAutoPipelining });
  client.defineCommand('acquireWithFence', { lua: ACQUIRE_WITH_FENCE });
  client.defineCommand('release', { lua: RELEASE });
  client.defineCommand('join', { lua: JOIN });
  client.defineCommand('leave', { lua: LEAVE });
  return client as Scripted;
}
