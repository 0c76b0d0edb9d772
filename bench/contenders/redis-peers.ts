import { Redis } from 'ioredis';
import { type Contender, LEASE_MS, PATIENCE_MS, type Release } from './contender.js';
import { peer } from './peers.js';

// Every package as its README uses it: with its defaults, and tuned for short waits and, on ioredis, for many at once. Only how often it tries is raised
// everywhere, where the default gives up sooner than a measurement ends. Each has a connection of its own; those on ioredis
// have the version that ours has, unless they cannot.

const TUNED_MS = 5;
const SCRIPTS = ['eval', 'evalsha'];

interface Tuning {
  /** Between two tries. Left out: the package's own. */
  readonly everyMs?: number;
  /** As byHandPipelined. */
  readonly autoPipelining?: boolean;
}

interface SemaphorePackage {
  readonly Mutex: new (
    client: Redis,
    key: string,
    options: object,
  ) => { acquire(): Promise<void>; release(): Promise<void> };
}

interface RedlockClass {
  new (
    clients: readonly Redis[],
    settings: object,
  ): { acquire(keys: string[], ms: number): Promise<{ release(): Promise<unknown> }> };
}

interface UniversalPackage {
  readonly IoredisAdapter: new (client: Redis) => object;
  readonly createLock: (config: object) => {
    acquire(): Promise<object>;
    release(handle: object): Promise<unknown>;
  };
}

interface IoredisLockPackage {
  readonly createLock: (
    client: object,
    options: object,
  ) => { acquire(key: string): Promise<void>; release(): Promise<void> };
}

interface Murlock {
  runWithLock(key: string, releaseMs: number, body: () => Promise<void>): Promise<void>;
}

interface MurlockPackage {
  readonly MurLockService: new () => Murlock;
  readonly MurLockModule: { forRoot(options: object): object };
}

interface NestPackage {
  readonly NestFactory: {
    createApplicationContext(
      module: object,
      options: object,
    ): Promise<{ get<T>(token: new () => T): T; close(): Promise<void> }>;
  };
}

const redisSemaphore = (name: string, { everyMs, ...connection }: Tuning): Contender =>
  onIoredis(name, [...SCRIPTS, 'set'], connection, (client) => {
    const { Mutex } = peer<SemaphorePackage>('redis-semaphore');
    const options = { acquireTimeout: PATIENCE_MS, ...(everyMs && { retryInterval: everyMs }) };
    return async (key) => {
      const mutex = new Mutex(client, key, options);
      await mutex.acquire();
      return () => mutex.release();
    };
  });

const redlock = (name: string, { everyMs, ...connection }: Tuning, load: () => RedlockClass): Contender =>
  onIoredis(name, SCRIPTS, connection, (client) => {
    const waiting = everyMs && { retryDelay: everyMs, retryJitter: 2 };
    const locks = new (load())([client], { retryCount: -1, ...waiting });
    return async (key) => {
      const lock = await locks.acquire([key], LEASE_MS);
      return () => lock.release();
    };
  });

const universal = (name: string, { everyMs, ...connection }: Tuning, performance: 'standard' | 'lean'): Contender =>
  // Locks are objects that are made once for a key: the first use of one asks for the health of the connection.
  onIoredis(name, [...SCRIPTS, 'set', 'ping'], connection, (client) => {
    const { createLock, IoredisAdapter } = peer<UniversalPackage>('redlock-universal');
    const adapter = new IoredisAdapter(client);
    const locks = new Map<string, ReturnType<typeof createLock>>();
    const common = {
      adapter,
      ttl: LEASE_MS,
      performance,
      retryAttempts: 100_000,
      ...(everyMs && { retryDelay: everyMs }),
    };
    return async (key) => {
      let lock = locks.get(key);
      if (lock === undefined) locks.set(key, (lock = createLock({ ...common, key })));
      const handle = await lock.acquire();
      return () => lock.release(handle);
    };
  });

const ioredisLock = (name: string, { everyMs, autoPipelining = false }: Tuning): Contender => ({
  name,
  kind: 'peer',
  sends: [...SCRIPTS, 'set'],
  async open(url) {
    const client = new (peer<typeof Redis>('ioredis4'))(url, { enableAutoPipelining: autoPipelining });
    const { createLock } = peer<IoredisLockPackage>('ioredis-lock');
    const options = { timeout: LEASE_MS, retries: 100_000, ...(everyMs && { delay: everyMs }) };
    await client.ping();
    return {
      async acquire(key) {
        const lock = createLock(client, options);
        await lock.acquire(key);
        return () => lock.release();
      },
      close: async () => client.disconnect(),
    };
  },
});

const murlock = (name: string, everyMs: number): Contender => ({
  name,
  kind: 'peer',
  sends: SCRIPTS,
  async open(url) {
    const { MurLockModule, MurLockService } = peer<MurlockPackage>('murlock');
    const { NestFactory } = peer<NestPackage>('@nestjs/core');
    const module = MurLockModule.forRoot({
      redisOptions: { url },
      wait: everyMs,
      maxAttempts: 3,
      // Otherwise it gives up.
      blocking: true,
      logLevel: 'none',
    });
    const app = await NestFactory.createApplicationContext(module, { logger: false });
    const service = app.get(MurLockService);
    return {
      acquire: (key) =>
        new Promise<Release>((resolve, reject) => {
          const done = service.runWithLock(key, LEASE_MS, () => {
            return new Promise<void>((leave) => {
              resolve(async () => {
                leave();
                await done;
              });
            });
          });
          done.catch(reject);
        }),
      close: () => app.close(),
    };
  },
});

function onIoredis(
  name: string,
  sends: readonly string[],
  { autoPipelining = false }: Tuning,
  use: (client: Redis) => (key: string) => Promise<Release>,
): Contender {
  return {
    name,
    kind: 'peer',
    sends,
    async open(url) {
      const client = new Redis(url, { enableAutoPipelining: autoPipelining });
      await client.ping();
      return { acquire: use(client), close: async () => client.disconnect() };
    },
  };
}

const redlock5 = (): RedlockClass => peer<{ readonly default: RedlockClass }>('redlock').default;
const sesamecare = (): RedlockClass => peer<{ readonly Redlock: RedlockClass }>('@sesamecare-oss/redlock').Redlock;
const tuned: Tuning = { everyMs: TUNED_MS, autoPipelining: true };

/** What a package does by default. */
export const redisPeers: readonly Contender[] = [
  redisSemaphore('redis-semaphore', {}),
  redlock('redlock', {}, redlock5),
  redlock('@sesamecare-oss/redlock', {}, sesamecare),
  universal('redlock-universal', {}, 'standard'),
  ioredisLock('ioredis-lock', {}),
  // It has no defaults: these are its README's.
  murlock('murlock', 1_000),
];

/** What the same can be made to do. */
export const tunedRedisPeers: readonly Contender[] = [
  redisSemaphore('redis-semaphore, tuned', tuned),
  redlock('redlock, tuned', tuned, redlock5),
  redlock('@sesamecare-oss/redlock, tuned', tuned, sesamecare),
  universal('redlock-universal, tuned', tuned, 'lean'),
  ioredisLock('ioredis-lock, tuned', tuned),
  murlock('murlock, tuned', TUNED_MS),
];

/** For whoever waits for nobody: without its checks of health and its statistics. */
export const leanUniversal = universal('redlock-universal, lean', {}, 'lean');
