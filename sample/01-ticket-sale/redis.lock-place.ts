import { Redis } from 'ioredis';
import { RedisBackend } from 'nestjs-locked/redis';
import { type LockPlace } from './lock-place.js';
import { startOwnServer } from './own-server.js';

const place: LockPlace = {
  async start() {
    const { REDIS_URL: address } = process.env;
    if (address) return { address, stop: async () => undefined };
    const otherwise = 'install redis-server (Debian: apt-get install redis-server), or set REDIS_URL to one that runs';
    return startOwnServer(otherwise, (port, folder) => {
      const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
      const url = `redis://127.0.0.1:${port}`;
      return {
        address: url,
        command: 'redis-server',
        args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
        answers: () => ping(url),
      };
    });
  },
  connect: (url) => new RedisBackend({ url: String(url), prefix: 'ticket-sale' }),
};
export default place;

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => null, connectTimeout: 1_000, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    await client.ping();
  } finally {
    client.disconnect();
  }
}
