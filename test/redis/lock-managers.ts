import { LockManager, type LockManagerOptions } from '../../lib/core/index.js';
import { RedisBackend, type RedisConnection } from '../../lib/redis/index.js';

export interface ManagerOptions extends Partial<Omit<LockManagerOptions, 'backend'>> {
  /** How to reach the server; a number is a port here. */
  readonly via: RedisConnection | { readonly port: number };
  readonly commandTimeoutMs?: number;
}

/** Lock managers with a connection of their own, as processes have; closed together at the end of a test. */
export class LockManagers {
  private readonly opened: LockManager[] = [];

  open({ via, commandTimeoutMs = 1_000, ...options }: ManagerOptions): LockManager {
    const connection: RedisConnection = 'port' in via ? { url: `redis://127.0.0.1:${via.port}` } : via;
    const backend = new RedisBackend({ ...connection, commandTimeoutMs, onWarning: () => undefined });
    const manager = new LockManager({ drainMs: 500, ...options, backend });
    this.opened.push(manager);
    return manager;
  }

  async close(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((manager) => manager.close()));
  }
}
