import { LockManager, type LockManagerOptions } from '../../lib/core/index.js';
import { ZooKeeperBackend, type ZooKeeperBackendOptions } from '../../lib/zookeeper/index.js';

export interface ManagerOptions extends Partial<Omit<LockManagerOptions, 'backend'>>, Partial<ZooKeeperBackendOptions> {
  readonly connect: string;
}

/** Lock managers with a session of their own, as processes have; closed together at the end of a test. */
export class LockManagers {
  private readonly opened: LockManager[] = [];

  open({ connect, sessionTimeoutMs = 3_000, root, auth, ...options }: ManagerOptions): LockManager {
    const backend = new ZooKeeperBackend({
      connect,
      sessionTimeoutMs,
      ...(root !== undefined && { root }),
      ...(auth !== undefined && { auth }),
    });
    const manager = new LockManager({ drainMs: 500, waitMs: 30_000, ...options, backend });
    this.opened.push(manager);
    return manager;
  }

  async close(): Promise<void> {
    for (const manager of this.opened.splice(0)) await manager.close();
  }
}
