// node tools/prepare.mjs && node bench/redis.mjs [url]: a free lock, acquired and released by one caller, against the
// same by hand (SET NX PX and a script that compares and deletes). Turn by turn in one process, so that both meet the
// same machine. Without a url it starts a redis-server of its own.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { LockManager } from 'nestjs-locked';
import { RedisBackend } from 'nestjs-locked/redis';

const ROUNDS = 300;
const LOCKS_PER_ROUND = 20;
const PORT = 16_411;

const own = process.argv[2] === undefined;
const url = process.argv[2] ?? `redis://127.0.0.1:${PORT}`;
const server =
  own && spawn('redis-server', ['--port', `${PORT}`, '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' });
const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
client.on('error', () => undefined);
client.defineCommand('unlock', {
  lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
  numberOfKeys: 1,
});
await client.ping();
const manager = new LockManager({ backend: new RedisBackend({ url }) });

const ways = {
  'by hand': async () => {
    const id = randomUUID();
    await client.set('by-hand', id, 'PX', 10_000, 'NX');
    await client.unlock('by-hand', id);
  },
  'nestjs-locked': async () => {
    await (await manager.acquire('bench')).release();
  },
};

const times = { 'by hand': [], 'nestjs-locked': [] };
for (let round = -20; round < ROUNDS; round += 1) {
  for (const [name, lock] of Object.entries(ways)) {
    const startedAt = performance.now();
    for (let index = 0; index < LOCKS_PER_ROUND; index += 1) await lock();
    if (round >= 0) times[name].push(((performance.now() - startedAt) * 1_000) / LOCKS_PER_ROUND);
  }
}
for (const [name, each] of Object.entries(times)) {
  each.sort((a, b) => a - b);
  const at = (share) => `${Math.round(each[Math.floor(each.length * share)])}`.padStart(6);
  console.log(`${name.padEnd(14)} µs per lock: p10 ${at(0.1)}  median ${at(0.5)}  p90 ${at(0.9)}`);
}
const [evalsha] = /cmdstat_evalsha:.*/.exec(await client.info('commandstats'));
console.log(`scripts on the server, both ways together: ${evalsha}`);

await manager.close();
client.disconnect();
if (server) server.kill();
