import { Cluster } from 'ioredis';
import { LockManager } from '../../lib/index.js';
import { RedisBackend, type RedisConnection } from '../../lib/redis/index.js';

/**
 * One life of a manager, told by its parent:
 * - `idle`: nothing is ever asked of it.
 * - `asking`: it is closed while its first question is on its way.
 * - `holding`: with a lock and a caller that waits for it, whenever the parent says so.
 */
export interface Life {
  readonly until: 'idle' | 'asking' | 'holding';
  /** How long after that it may still be alive. */
  readonly graceMs?: number;
  readonly connection: Exclude<RedisConnection, { client: unknown }> | { readonly nodes: { port: number }[] };
}

const { until, graceMs = 1_000, connection } = JSON.parse(process.argv[2]!) as Life;
const borrowed = 'nodes' in connection ? new Cluster(connection.nodes) : undefined;
borrowed?.on('error', () => undefined);
const backend = new RedisBackend({
  ...('nodes' in connection ? { client: borrowed! } : connection),
  onWarning: () => undefined,
});
const manager = new LockManager({ backend, leaseMs: 1_500, drainMs: 3_000 });

if (until !== 'idle') {
  const asked = manager.acquire('a');
  asked.catch(() => undefined);
  if (until === 'holding') {
    await asked;
    manager.acquire('a').catch(() => undefined);
    const told = new Promise((resolve) => process.once('message', resolve));
    process.send!('holds');
    await told;
  }
}
await manager.close();
borrowed?.disconnect();
// Does not keep the process alive: when it comes, something else does.
setTimeout(() => {
  process.send!(process.getActiveResourcesInfo());
  process.exit(1);
}, graceMs).unref();
