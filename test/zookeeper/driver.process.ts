import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { isLockError, LockManager } from '../../lib/index.js';
import { ZooKeeperProxies } from '../support/zookeeper-proxies.js';
import { openDriver } from '../../lib/zookeeper/zookeeper.driver.js';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';

/** What has once ended a process, or its session, told by name. Whoever comes to the end of it says so, and what happened. */
const scenarios: Readonly<Record<string, (server: string) => Promise<unknown>>> = {
  async 'a second thread'(server) {
    const manager = open(server);
    const lock = await manager.acquire('a');
    const heard = await new Promise((resolve, reject) => {
      const typescript = new URL('../support/typescript.mjs', import.meta.url).href;
      const code = `require('node:module').register('${typescript}'); import('${import.meta.url}')`;
      const worker = new Worker(code, { eval: true, execArgv: [], workerData: server });
      worker.once('message', resolve).once('error', reject);
    });
    const { held } = lock;
    await manager.close();
    return { heard, held };
  },

  async 'closing while watches are delivered'(server) {
    const holder = open(server);
    const keys = ['a', 'b', 'c', 'd'];
    const locks = await holder.acquire(keys);
    const backend = new ZooKeeperBackend({ connect: server, sessionTimeoutMs: 3_000 });
    const woken: Promise<void>[] = [];
    for (const key of keys) {
      const claim = backend.claim({ key, id: `of ${key}`, slots: 1, leaseMs: 1_000 });
      woken.push(new Promise((resolve) => claim.watch!(() => resolve(backend.close()))));
      await claim.attempt({ queue: true });
    }
    await locks.release();
    await Promise.race(woken);
    await backend.close();
    await holder.close();
    return 'closed';
  },

  async 'closing when the connection is lost, while several wait'(server) {
    const holder = open(server);
    const keys = ['e', 'f', 'g'];
    await holder.acquire(keys);
    const through = await pieces(server, Infinity, 0);
    const backend = new ZooKeeperBackend({ connect: through.address, sessionTimeoutMs: 3_000 });
    for (const key of keys) {
      const claim = backend.claim({ key, id: `of ${key}`, slots: 1, leaseMs: 1_000 });
      claim.watch!(() => void backend.close());
      await claim.attempt({ queue: true });
    }
    through.cut();
    await sleep(500);
    through.stop();
    await backend.close();
    await holder.close();
    return 'closed';
  },

  async 'a session opened by whoever hears that a connection is lost'(server) {
    // The driver has closed its socket, and still listens to it: the next one that is opened has the same number.
    const lost: Promise<unknown>[] = [];
    const others: ZooKeeperBackend[] = [];
    for (let n = 0; n < 5; n += 1) {
      const through = await pieces(server, Infinity, 0);
      const backend = new ZooKeeperBackend({ connect: through.address, sessionTimeoutMs: 3_000 });
      await backend.inspect('before');
      through.hang();
      const claim = backend.claim({ key: 'lost', id: `of ${n}`, slots: 1, leaseMs: 1_000 });
      const asked = Promise.resolve(claim.attempt({ queue: true })).catch(async () => {
        const other = new ZooKeeperBackend({ connect: server, sessionTimeoutMs: 3_000 });
        others.push(other, backend);
        return other.inspect('lost');
      });
      await sleep(50);
      through.stop();
      lost.push(asked);
    }
    const lines = await Promise.all(lost);
    await Promise.all(others.map((each) => each.close()));
    return lines.length;
  },

  async 'asking when the connection was reset a moment ago'(server) {
    // The driver closes its socket while it sends, and goes on to listen to its number.
    const through = await pieces(server, Infinity, 0);
    const backend = new ZooKeeperBackend({ connect: through.address, sessionTimeoutMs: 3_000 });
    const manager = new LockManager({ backend, waitMs: 10_000, drainMs: 300 });
    const lock = await manager.acquire('reset');
    const watching = open(server);
    const awaited = await watching.acquire('awaited');
    const waiting = manager.acquire('awaited');
    await sleep(200);
    const tokens: bigint[] = [];
    for (let n = 0; n < 5; n += 1) {
      await backend.inspect('reset');
      through.reset();
      const { fencingToken } = await manager.acquire(`reset ${n}`);
      tokens.push(fencingToken);
    }
    await awaited.release();
    const waited = await waiting;
    const [line] = await backend.inspect('reset');
    const seen = [lock.held, waited.held, line?.place === lock.fencingToken >> 10n, await lock.release()];
    await manager.close();
    await watching.close();
    through.stop();
    return seen;
  },

  async 'sockets of others, while a server is silent'(server) {
    // The driver hangs up by a timer, and closes what listened to its socket by the next: by then, others have that number.
    const proxies = new ZooKeeperProxies();
    const proxy = await proxies.open(Number(server.split(':')[1]));
    const echo = await echoProcess();
    const others: Socket[] = [];
    const backend = new ZooKeeperBackend(
      { connect: `127.0.0.1:${proxy}`, sessionTimeoutMs: 4_000 },
      {
        openDriver: () => {
          const driver = openDriver();
          driver.on('connecting', () => {
            setTimeout(() => {
              for (let n = 0; n < 3; n += 1) others.push(connect(echo.port, '127.0.0.1'));
            }, 5);
          });
          return driver;
        },
      },
    );
    await backend.inspect('before');
    await proxies.turn(proxy, 'blackHole');
    for (let tries = 0; others.length === 0 && tries < 500; tries += 1) await sleep(20);
    for (let times = 0; times < 40; times += 1) {
      for (const other of others) other.write('x');
      await sleep(100);
    }
    const heard = others.map(({ bytesRead }) => bytesRead >= 35);
    others.forEach((other) => other.destroy());
    echo.stop();
    await backend.close();
    await proxies.stop();
    return heard.slice(0, 3);
  },

  async 'sockets of others, after the event loop was held up'(server) {
    // By then the driver takes its connection for dead, and closes it by its timer, as above.
    const echo = await echoProcess();
    const others: Socket[] = [];
    const backend = new ZooKeeperBackend({ connect: server, sessionTimeoutMs: 3_000 });
    for (let times = 0; times < 3; times += 1) {
      await backend.inspect('before');
      for (const until = performance.now() + 2_400; performance.now() < until;);
      await sleep(5);
      for (let n = 0; n < 3; n += 1) others.push(connect(echo.port, '127.0.0.1'));
      await sleep(1_500);
    }
    for (let times = 0; times < 10; times += 1) {
      for (const other of others) other.write('x');
      await sleep(100);
    }
    const heard = others.map(({ bytesRead }) => bytesRead >= 8);
    others.forEach((other) => other.destroy());
    echo.stop();
    await backend.close();
    return heard;
  },

  async 'a server that cannot even be tried, beside one that serves'(server) {
    const managers = Array.from({ length: 8 }, () => open(`255.255.255.255:2181,${server}`));
    const codes = await Promise.all(managers.map((manager, n) => codeOf(manager.acquire(`beside ${n}`))));
    await Promise.all(managers.map((manager) => manager.close()));
    return codes.filter((code) => code === 'acquired').length;
  },

  async 'a server that hangs up on one greeting after the other, as while it elects a leader'(server) {
    const through = await pieces(server, Infinity, 0);
    // So many that Node warns of the listeners of each, if they stay.
    through.hangUpOn(15);
    const manager = open(through.address);
    const code = await codeOf(manager.acquire('j'));
    await manager.close();
    through.stop();
    return code;
  },

  async 'asking after closing, and closing again'(server) {
    const backend = new ZooKeeperBackend({ connect: server, sessionTimeoutMs: 3_000 });
    const claim = backend.claim({ key: 'h', id: 'x', slots: 1, leaseMs: 1_000 });
    await claim.attempt({ queue: true });
    const pending = Promise.allSettled([claim.renew(), backend.inspect('h')]);
    await Promise.all([backend.close(), backend.close()]);
    const calls = [claim.attempt({ queue: true }), claim.renew(), claim.withdraw(), backend.inspect('h')];
    const later = await Promise.allSettled<unknown>(calls);
    return [(await pending).length, ...later.map(({ status }) => status)];
  },

  async 'a long answer in small pieces'(server) {
    const through = await pieces(server, 100, 1);
    const [crowd, manager] = [new ZooKeeperBackend({ connect: server }), open(through.address)];
    const lock = await manager.acquire('long');
    const join = (n: number) =>
      crowd.claim({ key: 'long', id: `claim-${n}`, slots: 1, leaseMs: 1_000 }).attempt({ queue: true });
    await Promise.all(Array.from({ length: 300 }, (_, n) => join(n)));
    const { holders, waiters } = await manager.inspect('long');
    const seen = [holders.length, waiters.length, lock.held];
    await lock.release();
    await manager.close();
    await crowd.close();
    through.stop();
    return seen;
  },

  async 'a host that has no address'() {
    const manager = open('nowhere.invalid:2181');
    const failed = await codeOf(manager.acquire('a', { waitMs: 300 }));
    await manager.close();
    return failed;
  },

  async 'a server that is not there'() {
    const manager = open('127.0.0.1:1');
    const failed = await codeOf(manager.acquire('a', { waitMs: 300 }));
    await manager.close();
    return failed;
  },

  async 'a server that hangs when it is told goodbye'(server) {
    const through = await pieces(server, Infinity, 0);
    const manager = open(through.address);
    await manager.acquire('i');
    through.hang();
    await manager.close();
    through.stop();
    return 'closed';
  },
};

if (isMainThread) {
  const [, , name, server] = process.argv;
  const said = await scenarios[name!]!(server!);
  process.send!({ said });
  process.disconnect();
} else {
  const manager = open(workerData as string);
  const heard = await codeOf(manager.acquire('b'));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort!.postMessage(heard);
  await manager.close();
}

function open(server: string): LockManager {
  return new LockManager({
    backend: new ZooKeeperBackend({ connect: server, sessionTimeoutMs: 3_000 }),
    waitMs: 10_000,
    drainMs: 300,
  });
}

async function codeOf(acquiring: Promise<unknown>): Promise<string> {
  return acquiring.then(
    () => 'acquired',
    (error: unknown) => (isLockError(error) ? error.code : String(error)),
  );
}

async function echoProcess(): Promise<{ port: number; stop: () => void }> {
  const code = `require('net').createServer((socket) => socket.pipe(socket))
    .listen(0, '127.0.0.1', function () { process.send(this.address().port); })`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const [port] = (await once(child, 'message')) as [number];
  return { port, stop: () => void child.kill('SIGKILL') };
}

/** A way to the server on which answers come in pieces so small, so far apart. */
async function pieces(server: string, size: number, pauseMs: number) {
  let hangs = false;
  let refused = 0;
  const open = new Set<Socket>();
  const listener = createServer((client) => {
    if (refused > 0) {
      refused -= 1;
      client.on('error', () => undefined).once('data', () => client.destroy());
      return;
    }
    const [host, port] = server.split(':');
    const target = connect(Number(port), host);
    for (const socket of [client, target]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => [client, target].forEach((each) => each.destroy()));
    }
    client.on('data', (bytes) => void (hangs || target.write(bytes)));
    let turn = Promise.resolve();
    target.on('data', (bytes: Buffer) => {
      turn = turn.then(async () => {
        for (let start = 0; start < bytes.length; start += size) {
          client.write(bytes.subarray(start, start + size));
          if (pauseMs > 0) await sleep(pauseMs);
        }
      });
    });
  });
  await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve));
  const cut = (): void => open.forEach((socket) => socket.destroy());
  return {
    address: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    cut,
    reset: () => open.forEach((socket) => socket.resetAndDestroy()),
    hang: () => void (hangs = true),
    hangUpOn: (greetings: number) => void (refused = greetings),
    stop: () => {
      listener.close();
      cut();
    },
  };
}
