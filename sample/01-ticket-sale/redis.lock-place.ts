import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisBackend } from 'nestjs-locked/redis';
import { type LockPlace } from './lock-place.js';
import { startOwnServer } from './own-server.js';

const place: LockPlace = {
  async start() {
    const { REDIS_URL: address } = process.env;
    if (address) return { address, stop: async () => undefined };
    return startOwnServer({
      command: 'redis-server',
      args: (port, folder) => {
        const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
        return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
      },
      addressOf,
      answers: (port) => answers(addressOf(port)),
      otherwise: 'install it (Debian: apt-get install redis-server), or set REDIS_URL to one that runs',
    });
  },
  connect: (url) => new RedisBackend({ url, prefix: 'ticket-sale' }),
};
export default place;

function addressOf(port: number): string {
  return `redis://127.0.0.1:${port}`;
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  const pong = await Promise.race([client.ping(), sleep(10_000, 'no answer', { ref: false })]);
  client.disconnect();
  return pong === 'PONG';
}
