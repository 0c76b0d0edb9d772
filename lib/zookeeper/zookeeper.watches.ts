import { type ZooKeeperClient } from './zookeeper.client.js';

export interface Watcher {
  /** The node that it watches is gone, or was there no longer. */
  departed(path: string): void;
  /** It may have missed something. */
  wake(): void;
}

/** After a lost connection, all that is watched has to fit into one request, of a megabyte at most. */
const MOST_BYTES = 900_000;

/**
 * Who waits for which node to go. One watch per node, however many wait; it fires once. It cannot be taken back, so it counts
 * until it fires, even if nobody waits any more.
 */
export class SessionWatches {
  private readonly watchers = new Map<string, Set<Watcher>>();
  private pathBytes = 0;

  constructor(private readonly client: ZooKeeperClient) {}

  /** What the paths that are watched take. */
  get bytes(): number {
    return this.pathBytes;
  }

  /** false: there is no room for one more watch. */
  watch(path: string, watcher: Watcher): boolean {
    const watching = this.watchers.get(path);
    if (watching !== undefined) {
      watching.add(watcher);
      return true;
    }
    if (this.pathBytes + path.length > MOST_BYTES) return false;
    this.watchers.set(path, new Set([watcher]));
    this.pathBytes += path.length;
    this.client.watch(path).then(
      (there) => void (there || this.gone(path)),
      // The connection is gone; when it is back, all are woken.
      () => void this.take(path),
    );
    return true;
  }

  unwatch(path: string, watcher: Watcher): void {
    this.watchers.get(path)?.delete(watcher);
  }

  gone(path: string): void {
    for (const watcher of this.take(path)) watcher.departed(path);
  }

  /** Somebody has written to the node, which is there all the same. */
  changed(path: string): void {
    for (const watcher of this.take(path)) watcher.wake();
  }

  private take(path: string): ReadonlySet<Watcher> {
    const watching = this.watchers.get(path);
    if (watching === undefined) return new Set();
    this.watchers.delete(path);
    this.pathBytes -= path.length;
    return watching;
  }
}
