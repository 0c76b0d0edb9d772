import { RedisBackend } from '../../lib/redis/index.js';
import { loadScripts } from '../../lib/redis/redis.scripts.js';
import { describeBackendConformance } from '../../lib/conformance/index.js';
import { RedisConnections } from '../simulation/redis/redis-connection.js';
import { RedisServer } from '../simulation/redis/redis-server.js';
import { IdleClock } from '../support/idle-clock.js';

// The suite that real Redis passes holds the simulated one to it.
const clock = new IdleClock();
const server = new RedisServer(() => clock.wall(), loadScripts({ cluster: false }));
const nearBy = {
  open: true,
  ask: async <T>(execute: () => Promise<T>): Promise<T> => execute(),
  tell: (hear: () => void): void => queueMicrotask(hear),
};

describeBackendConformance({
  name: 'redis, simulated, in virtual time',
  connect: () =>
    new RedisBackend(
      { url: 'redis://simulated' },
      { clock, link: (listeners) => new RedisConnections(server, clock, nearBy, listeners) },
    ),
  residue: () => server.keys().filter((key) => !key.endsWith('}:last')).length,
  clock,
});
