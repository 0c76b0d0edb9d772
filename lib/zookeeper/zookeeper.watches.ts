import { type ZooKeeperClient } from './zookeeper.client.js';

export interface Watcher {
  /** The node that it watches is gone, or was there no longer. */
  departed(path: string): void;
  /** Something changed, or it may have missed something. */
  wake(): void;
}

/** After a lost connection, all that is watched has to fit into one request, of a megabyte at most. */
const MOST_BYTES = 900_000;

/**
 * Who waits for which node to go, or for a line to change. One watch per node, however many wait; it fires once. It cannot be taken back, so it counts
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
    if (!this.add(path, watcher)) return false;
    this.client.watch(path).then(
      (there) => void (there || this.gone(path)),
      // The connection is gone; when it is back, all are woken.
      () => void this.take(path),
    );
    return true;
  }

  /** As it is now, if there is room for a watch; the watcher is woken when that changes. */
  watchLine(path: string, watcher: Watcher, asItIs: (line: readonly string[]) => void): void {
    const watching = this.watchers.get(path);
    if (watching === undefined && !this.add(path, watcher)) return;
    watching?.add(watcher);
    this.client.children(path, { watch: true }).then(
      (children) => asItIs(children?.names ?? []),
      () => void this.take(path),
    );
  }

  unwatch(path: string, watcher: Watcher): void {
    this.watchers.get(path)?.delete(watcher);
  }

  gone(path: string): void {
    for (const watcher of this.take(path)) watcher.departed(path);
  }

  /** Somebody has written to the node, which is there all the same; or the line has others in it. */
  changed(path: string): void {
    for (const watcher of this.take(path)) watcher.wake();
  }

  private add(path: string, watcher: Watcher): boolean {
    if (this.pathBytes + path.length > MOST_BYTES) return false;
    this.watchers.set(path, new Set([watcher]));
    this.pathBytes += path.length;
    return true;
  }

  private take(path: string): ReadonlySet<Watcher> {
    const watching = this.watchers.get(path);
    if (watching === undefined) return new Set();
    this.watchers.delete(path);
    this.pathBytes -= path.length;
    return watching;
  }
}
