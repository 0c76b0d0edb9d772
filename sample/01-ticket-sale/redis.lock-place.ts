import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisBackend } from 'nestjs-locked/redis';
import { type LockPlace, type StartedPlace } from './lock-place.js';

const place: LockPlace = {
  async start() {
    const { REDIS_URL: address } = process.env;
    return address ? { address, stop: async () => undefined } : startServer();
  },
  connect: (url) => new RedisBackend({ url, prefix: 'ticket-sale' }),
};
export default place;

/** On the loopback interface, in a folder of its own, for as long as this process lives. */
async function startServer(): Promise<StartedPlace> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'ticket-sale-redis-'));
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const ended = once(server, 'exit').catch(() => undefined);
  const kill = (): void => void server.kill();
  process.once('exit', kill);

  const stop = async (): Promise<void> => {
    kill();
    if (server.pid !== undefined) await ended;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  const address = `redis://127.0.0.1:${port}`;
  if (server.pid !== undefined && (await answers(address))) return { address, stop };
  await stop();
  throw new Error(
    'redis-server did not start: install it (Debian: apt-get install redis-server), or set REDIS_URL to a server that runs',
  );
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  const pong = await Promise.race([client.ping(), sleep(10_000, 'no answer', { ref: false })]);
  client.disconnect();
  return pong === 'PONG';
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
