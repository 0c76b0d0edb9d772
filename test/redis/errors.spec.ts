import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { LockBackendError, LockConfigError, LockManager } from '../../lib/index.js';
import { RedisBackend, type RedisBackendOptions } from '../../lib/redis/index.js';
import { classified } from '../../lib/redis/redis.errors.js';
import { RedisKeys } from '../../lib/redis/redis.keys.js';
import { freePort } from '../support/free-port.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { type RedisConfig, type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

jest.setTimeout(90_000);

const PASSWORD = 'hush-hush-4711';

/** Everything that anybody could read of what went wrong, and what must not be in it. */
const seen: unknown[] = [];
const secrets = new Set<string>([PASSWORD]);
const managers: LockManager[] = [];
const stops: (() => unknown)[] = [];

beforeEach(() => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    jest.spyOn(console, method).mockImplementation((...words: unknown[]) => void seen.push(words));
  }
});
afterEach(async () => {
  await Promise.all(managers.splice(0).map((manager) => manager.close()));
  for (const stop of stops.splice(0).toReversed()) await stop();
  jest.restoreAllMocks();
});
// Of all tests together, as of one that told nothing it would prove nothing.
afterAll(() => {
  const told = inspect(seen.splice(0), {
    depth: Infinity,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
  });
  expect(told).toContain('LockBackendError');
  for (const secret of secrets) expect(told.includes(secret)).toBe(false);
});

async function serverWith(config: RedisConfig = {}): Promise<RedisServer> {
  const server = await startRedisServer({ config: { 'enable-debug-command': 'yes', ...config } });
  stops.push(() => server.stop());
  return server;
}

function managerOf(connection: RedisBackendOptions): LockManager {
  const backend = new RedisBackend({ commandTimeoutMs: 500, ...connection, onWarning: (text) => void seen.push(text) });
  const claim = backend.claim.bind(backend);
  jest.spyOn(backend, 'claim').mockImplementation((request) => {
    secrets.add(request.id);
    return claim(request);
  });
  const manager = new LockManager({ backend, leaseMs: 10_000, drainMs: 100 });
  manager.subscribe((event) => void seen.push(event));
  managers.push(manager);
  return manager;
}

/** What an acquisition fails with, and how soon. */
async function failure(
  manager: LockManager,
  waitMs: number,
): Promise<{ error: Error; cause: string; afterMs: number }> {
  const startedAt = performance.now();
  const error = await manager.acquire('wanted', { waitMs }).then(
    () => new Error('it was had'),
    (reason: Error) => reason,
  );
  seen.push(error);
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) causes.push(cause.message);
  return { error, cause: causes.join('; '), afterMs: performance.now() - startedAt };
}

interface Trouble {
  readonly name: string;
  readonly says: RegExp;
  readonly begins: (server: RedisServer) => unknown;
  readonly ends: (server: RedisServer) => unknown;
}

const PASSING: readonly Trouble[] = [
  {
    name: 'READONLY: the master was demoted',
    says: /READONLY/,
    begins: async ({ admin }) => admin.replicaof('127.0.0.1', await freePort()),
    ends: ({ admin }) => admin.replicaof('NO', 'ONE'),
  },
  {
    name: 'MASTERDOWN: a replica without its master',
    says: /MASTERDOWN|READONLY/,
    begins: async ({ admin }) => {
      await admin.config('SET', 'replica-serve-stale-data', 'no');
      await admin.replicaof('127.0.0.1', await freePort());
    },
    ends: ({ admin }) => admin.replicaof('NO', 'ONE'),
  },
  {
    name: 'NOREPLICAS',
    says: /NOREPLICAS/,
    begins: ({ admin }) => admin.config('SET', 'min-replicas-to-write', '1'),
    ends: ({ admin }) => admin.config('SET', 'min-replicas-to-write', '0'),
  },
  {
    name: 'MISCONF: it cannot save',
    says: /MISCONF/,
    begins: async ({ admin, folder }) => {
      mkdirSync(join(folder, 'dump.rdb'));
      await admin.config('SET', 'save', '3600 1000000');
      await until('it fails to save', async () => {
        await admin.bgsave().catch(() => undefined);
        return (await admin.info('persistence')).includes('rdb_last_bgsave_status:err');
      });
    },
    ends: ({ admin }) => admin.config('SET', 'stop-writes-on-bgsave-error', 'no'),
  },
  {
    name: 'LOADING',
    says: /LOADING|no connection|Socket timeout/,
    begins: async ({ admin }) => {
      await admin.eval(`for i = 1, 1000 do redis.call('SET', 'x' .. i, string.rep('x', 100)) end`, 0);
      // 5 ms for each key, and a look at its clients every 1024 bytes.
      await admin.config('SET', 'key-load-delay', '5000');
      await admin.config('SET', 'loading-process-events-interval-bytes', '1024');
      // Answered when all is loaded.
      admin.call('DEBUG', 'RELOAD').catch(() => undefined);
    },
    ends: () => undefined,
  },
  {
    name: 'BUSY: a script that does not end',
    says: /BUSY/,
    begins: async ({ admin }) => {
      await admin.config('SET', 'busy-reply-threshold', '50');
      admin.eval('while true do end', 0).catch(() => undefined);
    },
    ends: ({ port }) => killScript(port),
  },
  {
    name: 'CLUSTERDOWN',
    says: /CLUSTERDOWN/,
    begins: ({ admin }) => admin.call('CLUSTER', 'DELSLOTSRANGE', '0', '16383'),
    ends: ({ admin }) => admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383'),
  },
  {
    name: 'too many clients',
    says: /max number of clients|closed|reset|EPIPE|no connection/i,
    begins: async ({ admin }) => {
      await admin.config('SET', 'maxclients', '1');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'NORMAL');
    },
    ends: ({ admin }) => admin.config('SET', 'maxclients', '1000'),
  },
  {
    name: 'silence',
    says: /Socket timeout|no connection|ETIMEDOUT/,
    begins: (server) => server.pause(),
    ends: (server) => server.resume(),
  },
  {
    name: 'connection refused',
    says: /ECONNREFUSED|closed|ECONNRESET/,
    begins: (server) => server.kill(),
    ends: (server) => server.restart(),
  },
];

describeOnRedis('what passes is asked again, until it has passed or the wait is over', () => {
  it.each(PASSING)('$name', async ({ name, says, begins, ends }) => {
    const server = await serverWith(name === 'CLUSTERDOWN' ? await clustered() : {});
    if (name === 'CLUSTERDOWN') await oneNodeCluster(server);
    const manager = managerOf({ url: server.url });
    await (await manager.acquire('warm-up')).release();

    await begins(server);
    const { error, cause } = await failure(manager, 1_500);
    expect(error).toBeInstanceOf(LockBackendError);
    expect(cause).toMatch(says);

    const wanted = manager.acquire('wanted', { waitMs: 60_000 });
    await ends(server);
    await (await wanted).release();
  });

  it('a connection that is cut', async () => {
    const server = await serverWith();
    const manager = managerOf({ url: server.url });
    const lock = await manager.acquire('a');
    for (let cut = 0; cut < 5; cut += 1) {
      await server.admin.call('CLIENT', 'KILL', 'TYPE', 'NORMAL');
      await (await manager.acquire('b', { waitMs: 30_000 })).release();
    }
    await lock.release();
  });

  it('NOSCRIPT is not even noticed', async () => {
    const server = await serverWith();
    const manager = managerOf({ url: server.url });
    await (await manager.acquire('a')).release();
    for (let flush = 0; flush < 5; flush += 1) {
      await server.admin.script('FLUSH');
      await (await manager.acquire('a', { waitMs: 0 })).release();
    }
  });

  it('MOVED, ASK and TRYAGAIN: a hash slot that moves to another node of a Cluster', async () => {
    const cluster = await startRedisCluster();
    stops.push(() => cluster.stop());
    const client = new Cluster([...cluster.startupNodes]);
    stops.push(() => client.disconnect());
    const manager = managerOf({ client });
    const before = await manager.acquire('before');
    const { last } = new RedisKeys('lock', true).of('before');
    const slot = Number(await client.cluster('KEYSLOT', last));
    const nodes = await Promise.all(
      cluster.nodes.map(async ({ admin, port }) => ({ admin, port, id: String(await admin.call('CLUSTER', 'MYID')) })),
    );
    const owners = await Promise.all(nodes.map(({ admin }) => admin.exists(last).catch(() => 0)));
    const [from, to] = [nodes[owners.indexOf(1)]!, nodes[owners.indexOf(0)]!];
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    const during = manager.acquire(keyOfBucket(last), { waitMs: 60_000 });
    await until('both nodes refuse what is between them', async () => {
      const stats = await Promise.all([from, to].map(({ admin }) => admin.info('errorstats')));
      return stats.some((text) => text.includes('errorstat_TRYAGAIN'));
    });
    const keys = (await from.admin.cluster('GETKEYSINSLOT', slot, 100)) as string[];
    await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    for (const { admin } of [to, from, ...nodes]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    await (await during).release();
    expect(before.held).toBe(true);
    await before.release();
  });
});

describeOnRedis('what does not pass by itself is told at once', () => {
  it('OOM: LockBackendError, while what is held can be renewed and released', async () => {
    const server = await serverWith();
    const manager = managerOf({ url: server.url });
    const lock = await manager.acquire('held', { leaseMs: 600 });
    await server.admin.config('SET', 'maxmemory', '1');
    const { error, cause, afterMs } = await failure(manager, 60_000);
    expect(error).toBeInstanceOf(LockBackendError);
    expect(cause).toMatch(/out of memory.*OOM/);
    expect(afterMs).toBeLessThan(30_000);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(lock.held).toBe(true);
    await lock.release();
    expect(await server.admin.keys('*:line:held')).toEqual([]);
  });

  const LOCKED = { requirepass: PASSWORD };
  const user = (...rules: string[]) => ({ user: `locks on >${PASSWORD} resetchannels ${rules.join(' ')}` });
  it.each<[name: string, config: RedisConfig, userInfo: string, says: RegExp]>([
    ['NOAUTH: no password', LOCKED, '', /log-in refused.*NOAUTH/],
    ['WRONGPASS: the wrong password', LOCKED, `:${PASSWORD}x@`, /log-in refused.*WRONGPASS/],
    ['WRONGPASS: no such user', LOCKED, `somebody:${PASSWORD}@`, /log-in refused.*WRONGPASS/],
    [
      'NOPERM: no scripts',
      user('+@all', '-eval', '-evalsha', '&*', '~*'),
      `locks:${PASSWORD}@`,
      /not permitted.*NOPERM/,
    ],
    ['NOPERM: a command in a script', user('+@all', '-zadd', '&*', '~*'), `locks:${PASSWORD}@`, /not permitted/],
    ['NOPERM: other keys', user('+@all', '&*', '~other:*'), `locks:${PASSWORD}@`, /not permitted/],
    ['NOPERM: other channels', user('+@all', '&other:*', '~*'), `locks:${PASSWORD}@`, /not permitted/],
    ['unknown command: renamed', { 'rename-command': 'EVAL ""' }, '', /forbids a command.*unknown command/],
  ])('%s: LockConfigError', async (_name, config, userInfo, says) => {
    const server = await serverWith(config);
    const manager = managerOf({ url: `redis://${userInfo}127.0.0.1:${server.port}` });
    const { error, afterMs } = await failure(manager, 60_000);
    expect(error).toBeInstanceOf(LockConfigError);
    expect(error.message).toMatch(says);
    expect(afterMs).toBeLessThan(30_000);
  });

  it('WRONGPASS: also from all the nodes of a Cluster', async () => {
    const server = await serverWith({ ...(await clustered()), ...LOCKED });
    const client = new Cluster([{ host: '127.0.0.1', port: server.port }], {
      redisOptions: { password: `${PASSWORD}x` },
    });
    client.on('error', () => undefined);
    stops.push(() => client.disconnect());
    const { error } = await failure(managerOf({ client }), 60_000);
    expect(error).toBeInstanceOf(LockConfigError);
  });

  it('WRONGTYPE and a key of somebody else: LockConfigError', async () => {
    const server = await serverWith();
    await server.admin.set('lock:{0}:line:wanted', 'mine');
    const { error } = await failure(managerOf({ url: server.url }), 60_000);
    expect(error).toBeInstanceOf(LockConfigError);
    expect(error.message).toMatch(/a prefix of their own.*WRONGTYPE/);
  });

  it('MOVED, to a client that knows of no Cluster: LockConfigError', async () => {
    const server = await serverWith(await clustered());
    const other = await serverWith(await clustered());
    await oneNodeCluster(other);
    await server.admin.call('CLUSTER', 'MEET', '127.0.0.1', other.port, await busPort(other));
    await until('it knows whose the slots are', async () =>
      String(await server.admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
    const { error } = await failure(managerOf({ url: server.url }), 60_000);
    expect(error).toBeInstanceOf(LockConfigError);
    expect(error.message).toMatch(/Cluster client.*MOVED/);
  });

  it('TLS, from a server that knows none: no lock, and soon', async () => {
    const server = await serverWith();
    const { error } = await failure(managerOf({ url: `rediss://127.0.0.1:${server.port}` }), 2_000);
    expect(error.name).toMatch(/LockConfigError|LockBackendError/);
  });

  it('something that is no Redis: LockBackendError', async () => {
    const babbler = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    const port = await listening(babbler);
    stops.push(() => babbler.close());
    const { error } = await failure(managerOf({ url: `redis://:${PASSWORD}@127.0.0.1:${port}` }), 2_000);
    expect(error).toBeInstanceOf(LockBackendError);
  });
});

describe('options that cannot be', () => {
  const NO_CLIENT = { duplicate: undefined };
  it.each<[string, unknown]>([
    ['nothing at all', undefined],
    ['no way to connect', {}],
    ['two ways', { url: 'redis://a', options: {} }],
    ['a setting that is missing', { url: undefined }],
    ['no scheme', { url: `locks:${PASSWORD}@host:6379` }],
    ['another scheme', { url: `http://:${PASSWORD}@host` }],
    ['a slash in a password', { url: `redis://locks:${PASSWORD}/x@host:6379` }],
    ['a slash behind what looks like a port', { url: `redis://locks:12/${PASSWORD}@host:6379` }],
    ['a hash in a password', { url: `redis://locks:12#${PASSWORD}@host:6379` }],
    ['a stray percent sign', { url: `redis://:${PASSWORD}%@host:6379` }],
    ['a database with a name', { url: `redis://:${PASSWORD}@host:6379/locks` }],
    ['options that are none', { options: null }],
    ['a client that is none', { client: NO_CLIENT }],
    ['a prefix with braces', { url: 'redis://a', prefix: '{a}' }],
    ['no patience', { url: 'redis://a', commandTimeoutMs: 0 }],
  ])('%s: LockConfigError', (_name, options) => {
    const build = (): unknown => new RedisBackend(options as RedisBackendOptions);
    expect(build).toThrow(LockConfigError);
    try {
      build();
    } catch (error) {
      seen.push(error);
    }
  });
});

describe('what a failed command means', () => {
  const told = (message: string, cluster = false): string =>
    classified(Object.assign(new Error(message), { command: { args: [PASSWORD] } }), cluster).name;

  it('knows the words of other servers', () => {
    const inOld = (error: string): string => `ERR Error running script (call to f_0a): @user_script:1: ${error}`;
    expect(told(inOld('-READONLY You can’t write against a read only replica.'))).toBe('Error');
    expect(told(inOld('-OOM command not allowed when used memory > maxmemory'))).toBe('LockBackendError');
    expect(told('ERR The user executing the script can’t run this command or subcommand')).toBe('LockConfigError');
    expect(told('NOPERM User locks has no permissions to run the ’evalsha’ command')).toBe('LockConfigError');
    expect(told('DENIED Redis is running in protected mode because')).toBe('LockConfigError');
    expect(told('self-signed certificate in certificate chain')).toBe('LockConfigError');
    expect(told('unable to verify the first certificate')).toBe('LockConfigError');
    expect(told("Hostname/IP does not match certificate's altnames")).toBe('LockConfigError');
  });

  it('lets the Cluster client go where it is sent', () => {
    expect(told('MOVED 866 127.0.0.1:7000')).toBe('LockConfigError');
    expect(told('ASK 866 127.0.0.1:7000')).toBe('LockConfigError');
    expect(told('MOVED 866 127.0.0.1:7000', true)).toBe('Error');
    expect(told('Too many Cluster redirections. Last error: Error: MOVED 866 127.0.0.1:7000', true)).toBe('Error');
  });
});

/** A key of the bucket that has this last place. */
function keyOfBucket(last: string): string {
  const keys = new RedisKeys('lock', true);
  let number = 0;
  while (keys.of(`during ${number}`).last !== last) number += 1;
  return `during ${number}`;
}

/** The bus is 10000 above the port by default, where there may be no port. */
async function clustered(): Promise<RedisConfig> {
  return { 'cluster-enabled': 'yes', 'cluster-port': await freePort() };
}

async function oneNodeCluster({ admin }: RedisServer): Promise<void> {
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await until('the cluster is whole', async () =>
    String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  );
}

async function busPort({ admin }: RedisServer): Promise<number> {
  const [, bus] = /@(\d+)/.exec(String(await admin.call('CLUSTER', 'NODES'))) ?? [];
  return Number(bus);
}

/** By a connection of its own: that of the admin is taken up with the script. */
async function killScript(port: number): Promise<void> {
  const server = new Redis(port, { enableReadyCheck: false, disconnectTimeout: 10 });
  try {
    await server.script('KILL');
  } finally {
    server.disconnect();
  }
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
