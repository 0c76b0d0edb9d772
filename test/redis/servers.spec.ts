import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { freePort } from '../support/free-port.js';
import { type ClusterSetUp, startRedisCluster } from '../support/redis-cluster.js';
import { CommandWatch, keyCount, killSubscribers } from '../support/redis-commands.js';
import { describeOnRedis } from '../support/redis-installed.js';
import { isPush, runs, startRedisProxy } from '../support/redis-proxy.js';
import { startRedisSentinel } from '../support/redis-sentinel.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';

jest.setTimeout(60_000);

const SUPPORT = join(import.meta.dirname, '../support');
const clients: { disconnect(): void }[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

function clientOf(port: number, options: Partial<Pick<RedisOptions, 'retryStrategy' | 'protocol'>> = {}): Redis {
  const client = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: 0, disconnectTimeout: 50, ...options });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

/** Whether something happens that should not, where patience proves nothing: 200 ms of it. */
async function stillWaiting(promise: Promise<unknown>): Promise<boolean> {
  const waiting = Symbol('waiting');
  const first = await Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 200, waiting))]);
  return first === waiting;
}

function lives(pid: number): boolean {
  try {
    // A zombie is dead, though it can be signalled.
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Processes with this in their command line. */
function processesNaming(text: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  } catch {
    return undefined;
  }
}

describeOnRedis('a Redis server of its own', () => {
  it('answers on its port, and leaves no process and no folder', async () => {
    const server = await startRedisServer();
    const { pid, folder, url } = server;
    expect(url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(await clientOf(server.port).ping()).toBe('PONG');
    expect(existsSync(folder) && lives(pid)).toBe(true);
    expect(processesNaming(folder)).not.toEqual([]);

    await server.stop();
    expect(existsSync(folder) || lives(pid)).toBe(false);
    expect(processesNaming(folder)).toEqual([]);
    await server.stop();
  });

  it('keeps nothing over a restart, on the same port, unless asked to', async () => {
    const config = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction', maxmemory: 0 };
    const [forgets, keeps] = await Promise.all([startRedisServer(), startRedisServer({ config })]);
    try {
      for (const server of [forgets, keeps]) {
        const { pid } = server;
        await server.admin.set('a', '1');
        await server.restart();
        expect(server.pid).not.toBe(pid);
        expect(lives(pid)).toBe(false);
        expect(processesNaming(server.folder)).toHaveLength(1);
      }
      expect(await forgets.admin.get('a')).toBeNull();
      expect(await keeps.admin.get('a')).toBe('1');
    } finally {
      await Promise.all([forgets.stop(), keeps.stop()]);
    }
  });

  it('does nothing while it is paused, and then all that it was asked', async () => {
    const server = await startRedisServer();
    try {
      const client = clientOf(server.port);
      await client.ping();
      server.pause();
      const reply = client.set('a', '1');
      expect(await stillWaiting(reply)).toBe(true);
      server.resume();
      expect(await reply).toBe('OK');
      server.pause();
    } finally {
      await server.stop();
    }
  });

  it('takes another port when one is taken, and waits for its own after that', async () => {
    const inTheWay = createServer();
    await once(inTheWay.listen(0, '127.0.0.1'), 'listening');
    const { port: taken } = inTheWay.address() as AddressInfo;
    const busPorts: number[] = [];
    const config = async () => {
      busPorts.push(busPorts.length === 0 ? taken : await freePort());
      return { 'cluster-enabled': 'yes', 'cluster-port': busPorts.at(-1)! };
    };
    const server = await startRedisServer({ config });
    inTheWay.close();
    try {
      expect(busPorts).toHaveLength(2);
      await server.kill();
      await once(inTheWay.listen(server.port, '127.0.0.1'), 'listening');
      const restarted = server.restart();
      expect(await stillWaiting(restarted)).toBe(true);
      inTheWay.close();
      await restarted;
      expect(await server.admin.ping()).toBe('PONG');
    } finally {
      await server.stop();
    }
  });

  it('that cannot start says why, and leaves nothing', async () => {
    // Others on the same machine may run these tests, too.
    const ours = (): string[] => processesNaming('nestjs-locked-redis-').filter((pid) => parentOf(pid) === process.pid);
    const before = ours();
    await expect(startRedisServer({ config: { 'no-such-directive': 1 } })).rejects.toThrow(/no-such-directive/);
    expect(ours()).toEqual(before);
  });

  it('does not outlive the process that started it, whatever ends that', async () => {
    const code = `import { startRedisServer } from ${JSON.stringify(join(SUPPORT, 'redis-server.ts'))};
      const servers = await Promise.all([startRedisServer(), startRedisServer()]);
      servers[0].pause();
      console.log(JSON.stringify(servers.map(({ pid, folder }) => ({ pid, folder }))));`;
    const typescript = ['--import', join(SUPPORT, 'typescript.mjs'), '--input-type=module'];
    const child = spawn(process.execPath, [...typescript, '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [output] = (await once(child.stdout, 'data')) as [Buffer];
      const servers = JSON.parse(String(output)) as { pid: number; folder: string }[];
      expect(servers.every(({ pid, folder }) => lives(pid) && existsSync(folder))).toBe(true);
      child.kill('SIGKILL');
      for (const { pid, folder } of servers) {
        await until('server, folder and guard are gone', () => {
          return !lives(pid) && !existsSync(folder) && processesNaming(folder).length === 0;
        });
      }
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describeOnRedis('a proxy before a Redis server', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.admin.flushall();
    proxy = await startRedisProxy(server);
  });
  afterEach(() => proxy.close());

  it('passes everything on, and counts', async () => {
    const client = clientOf(proxy.port);
    await client.ping();
    const { messages, bytes } = proxy.toServer;
    const replies = proxy.toClient.messages;
    const large = 'x'.repeat(300_000);
    await Promise.all([client.set('a', large), client.get('a'), client.lrange('b', 0, -1), client.hgetall('c')]);
    expect(await client.get('a')).toBe(large);
    expect(proxy.toServer.messages).toBe(messages + 5);
    expect(proxy.toServer.bytes).toBeGreaterThan(bytes + 300_000);
    expect(proxy.toClient.messages).toBe(replies + 5);
    expect([proxy.accepted, proxy.connections, proxy.toServer.swallowed, proxy.toClient.swallowed]).toEqual([
      1, 1, 0, 0,
    ]);
    client.disconnect();
    await until('the connection is closed on both sides', () => proxy.connections === 0);
  });

  it('delays requests, replies, or both', async () => {
    const client = clientOf(proxy.port);
    await client.ping();
    proxy.toServer.delay(100);
    proxy.toClient.delay(50);
    const start = performance.now();
    expect(await Promise.all([client.incr('a'), client.incr('a'), client.incr('a')])).toEqual([1, 2, 3]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(149);
  });

  it('holds back requests, also of a client that has long gone', async () => {
    const client = clientOf(proxy.port);
    await client.ping();
    proxy.toServer.delay(Infinity);
    const reply = client.set('late', '1').catch((error: Error) => error);
    expect(await stillWaiting(reply)).toBe(true);
    client.disconnect();
    expect(await reply).toBeInstanceOf(Error);
    expect(await server.admin.get('late')).toBeNull();
    proxy.toServer.pass();
    await until('the server got it', async () => (await server.admin.get('late')) === '1');
  });

  it('swallows what one side says: the connection is open, and dead for good', async () => {
    const client = clientOf(proxy.port, { retryStrategy: () => 10 });
    await client.ping();
    const gone = new Promise((resolve) => client.once('close', resolve));

    proxy.toServer.blackHole();
    const unheard = client.set('unheard', '1').catch(() => 'cut');
    expect(await stillWaiting(unheard)).toBe(true);
    expect(await server.admin.get('unheard')).toBeNull();

    proxy.toServer.pass();
    const behind = client.set('behind', '1').catch(() => 'cut');
    expect(await stillWaiting(behind)).toBe(true);
    expect([client.status, proxy.connections, proxy.toServer.swallowed]).toEqual(['ready', 1, 2]);
    expect(await clientOf(proxy.port).set('new', '1')).toBe('OK');

    proxy.cut();
    await gone;
    expect(await Promise.all([unheard, behind])).toEqual(['cut', 'cut']);
    await until('the client is back', () => client.status === 'ready');
    expect(await client.mget('unheard', 'behind', 'new')).toEqual([null, null, '1']);
  });

  it('swallows replies to requests that were done', async () => {
    const client = clientOf(proxy.port);
    await client.ping();
    proxy.toClient.blackHole();
    const reply = client.set('a', '1').catch(() => 'cut');
    await until('the server has done it', async () => (await server.admin.get('a')) === '1');
    expect(await stillWaiting(reply)).toBe(true);
    proxy.cut();
    expect(await reply).toBe('cut');
  });

  it('keeps from the server that a client has gone', async () => {
    const client = clientOf(proxy.port, { retryStrategy: () => null });
    const id = String(await client.client('ID'));
    const known = async (): Promise<boolean> =>
      String(await server.admin.client('LIST', 'ID', id)).includes(`id=${id} `);
    proxy.toServer.blackHole();
    client.disconnect();
    await once(client, 'end');
    expect(await known()).toBe(true);
    proxy.cut();
    await until('the server knows', async () => !(await known()));
  });

  it('resets connections, refuses new ones, and takes them again', async () => {
    const client = clientOf(proxy.port, { retryStrategy: () => 10 });
    await client.ping();
    const errors: string[] = [];
    client.on('error', (error: Error & { code: string }) => errors.push(error.code));
    proxy.refuse();
    expect(await client.ping()).toBe('PONG');
    proxy.cut();
    await until('the client is refused', () => errors.includes('ECONNREFUSED'));
    expect(errors[0]).toBe('ECONNRESET');
    await proxy.accept();
    await until('the client is back', () => client.status === 'ready');
    expect(await client.ping()).toBe('PONG');
  });

  it('loses the reply to the request that matches, and no other', async () => {
    const lua = `return redis.call('INCR', KEYS[1])`;
    const client = clientOf(proxy.port, { retryStrategy: () => 10 });
    client.defineCommand('count', { lua, numberOfKeys: 1 });
    const { count } = client as unknown as { count(key: string): Promise<number> };
    expect(await count.call(client, 'a')).toBe(1);

    for (const executed of [2, 3]) {
      await until('the client is ready', () => client.status === 'ready');
      proxy.dropRepliesThenReset(runs(lua));
      const replies = await Promise.allSettled([
        client.get('a'),
        client.ping(),
        count.call(client, 'a'),
        count.call(client, 'b'),
      ]);
      expect(replies.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
      expect(await server.admin.get('a')).toBe(String(executed));
    }
    expect(proxy.repliesLost).toBe(2);
    await until('the client is ready', () => client.status === 'ready');
    expect(await count.call(client, 'a')).toBe(4);
  });

  it.each([2, 3] as const)('drops pushes of RESP %d one by one, and nothing else', async (protocol) => {
    const client = clientOf(proxy.port, { protocol });
    const heard: string[] = [];
    client.on('message', (_channel: string, message: string) => heard.push(message));
    await client.subscribe('a');
    proxy.toClient.drop((message) => isPush(message) && message.includes('odd'));
    await Promise.all(['odd 1', 'even 2', 'odd 3', 'even 4'].map((message) => server.admin.publish('a', message)));
    expect(await client.subscribe('b')).toBe(2);
    proxy.toClient.drop(isPush);
    await server.admin.publish('b', 'even 6');
    expect(await client.subscribe('c')).toBe(3);
    proxy.toClient.pass();
    await server.admin.publish('c', 'odd 7');
    await until('the last one is heard', () => heard.includes('odd 7'));
    expect(heard).toEqual(['even 2', 'even 4', 'odd 7']);
    expect(proxy.toClient.swallowed).toBe(3);
  });

  it('can be pointed at another server', async () => {
    const other = await startRedisServer();
    try {
      const client = clientOf(proxy.port, { retryStrategy: () => 10 });
      await client.set('a', 'here');
      proxy.target = other.port;
      expect(await client.get('a')).toBe('here');
      proxy.cut();
      await until('the client is back', async () => (await client.get('a')) === null);
    } finally {
      await other.stop();
    }
  });
});

describeOnRedis('the commands of a Redis server', () => {
  it('are told apart: sent by clients, called by scripts, pushed; none of the admin, none to log in', async () => {
    const server = await startRedisServer();
    const watch = await CommandWatch.start(server);
    try {
      const subscriber = clientOf(server.port);
      await subscriber.subscribe('channel');
      const client = clientOf(server.port);
      await client.eval(`redis.call('SET', 'a', 1) return redis.call('PUBLISH', 'channel', 'x')`, 0);
      await server.admin.set('b', '1');
      const { sent, scripted, pushes } = await watch.take();
      expect(sent.map(({ name }) => name)).toEqual(['subscribe', 'eval']);
      expect(scripted.map(({ name }) => name)).toEqual(['set', 'publish']);
      expect(pushes.map(({ args }) => args)).toEqual([['channel', 'x']]);

      await Promise.all(Array.from({ length: 1_000 }, (_, index) => client.set(`many ${index}`, '1')));
      expect((await watch.take()).sent).toHaveLength(1_000);
      expect((await watch.take()).sent).toHaveLength(0);
      expect(await keyCount(server)).toBe(1_002);
      expect(await killSubscribers(server)).toBe(1);
    } finally {
      watch.stop();
      await server.stop();
    }
  });
});

describeOnRedis('a master, a replica and three sentinels', () => {
  it('elect the replica when the master is gone, and forget what it did not hear of', async () => {
    const setUp = await startRedisSentinel();
    const { master, replica } = setUp;
    try {
      const client = new Redis({ ...setUp.options, retryStrategy: () => 50, sentinelRetryStrategy: () => 50 });
      clients.push(client);
      client.on('error', () => undefined);
      const port = async (): Promise<unknown> => ((await client.config('GET', 'port')) as string[])[1];
      expect(await port()).toBe(String(master.port));
      await client.set('replicated', '1');
      expect(await client.wait(1, 10_000)).toBe(1);

      const watch = await CommandWatch.start(master);
      await client.set('seen', '1');
      expect((await watch.take()).sent.map(({ name }) => name)).toEqual(['set']);
      watch.stop();

      await setUp.failover(async () => expect(await client.set('lost', '1')).toBe('OK'));
      expect(lives(master.pid)).toBe(false);
      expect([setUp.master, setUp.replica]).toEqual([replica, master]);
      await until('the client is at the new master', async () => (await port()) === String(replica.port));
      expect(await client.mget('replicated', 'lost')).toEqual(['1', null]);
      expect(await client.set('after', '1')).toBe('OK');
    } finally {
      await setUp.stop();
    }
    for (const server of [master, replica, ...setUp.sentinels]) expect(processesNaming(server.folder)).toEqual([]);
  });
});

describeOnRedis('a Cluster of three masters', () => {
  let setUp: ClusterSetUp;
  beforeAll(async () => {
    setUp = await startRedisCluster();
  });
  afterAll(() => setUp.stop());

  it('spreads keys and sharded channels over its nodes', async () => {
    const client = new Cluster(setUp.startupNodes, { shardedSubscribers: true });
    clients.push(client);
    const keys = Array.from({ length: 300 }, (_, index) => `key ${index}`);
    const watch = await CommandWatch.start(...setUp.nodes);
    await Promise.all(keys.map((key) => client.set(key, '1')));
    for (const node of setUp.nodes) expect(await keyCount(node)).toBeGreaterThan(50);
    expect(await keyCount(...setUp.nodes)).toBe(300);
    expect((await watch.take()).sent.filter(({ name }) => name === 'set')).toHaveLength(300);
    watch.stop();

    const heard: string[] = [];
    client.on('smessage', (channel: string) => heard.push(channel));
    for (const channel of ['{1}', '{2}', '{3}', '{4}']) await client.ssubscribe(channel);
    for (const channel of ['{1}', '{2}', '{3}', '{4}']) expect(await client.spublish(channel, 'x')).toBe(1);
    await until('all are heard', () => heard.length === 4);
  });
});
