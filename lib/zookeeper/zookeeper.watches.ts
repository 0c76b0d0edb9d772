import { type ZooKeeperClient } from './zookeeper.client.js';

export interface Watcher {
  /** The node that it watches is gone, or was there no longer. */
  departed(path: string): void;
  /** It may have missed something. */
  wake(): void;
}

/** Who waits for which node to go. One watch per node, however many wait; it fires once. */
export class SessionWatches {
  private readonly watchers = new Map<string, Set<Watcher>>();

  constructor(private readonly client: ZooKeeperClient) {}

  /** How many nodes are watched. */
  get size(): number {
    return this.watchers.size;
  }

  watch(path: string, watcher: Watcher): void {
    const watching = this.watchers.get(path);
    if (watching !== undefined) {
      watching.add(watcher);
      return;
    }
    this.watchers.set(path, new Set([watcher]));
    this.client.watch(path).then(
      (there) => void (there || this.fired(path)),
      // The connection is gone; when it is back, all are woken.
      () => void this.watchers.delete(path),
    );
  }

  unwatch(path: string, watcher: Watcher): void {
    // The watch itself cannot be taken back: it stays until the node goes.
    this.watchers.get(path)?.delete(watcher);
  }

  fired(path: string): void {
    const watching = this.watchers.get(path);
    this.watchers.delete(path);
    for (const watcher of watching ?? []) watcher.departed(path);
  }

  /** Those that the driver still has fire all the same, for nobody. */
  forget(): void {
    this.watchers.clear();
  }
}
