/** While nobody tells of changes, everybody who waits for one looks so often. */
const LOOK_EVERY_MS = 100;

/**
 * Who wants to know of changes, by what they are told under: one listener for a whole store, fanned out. While the store
 * hears nothing, because its listener is not connected or never will be, they are called every now and then instead.
 */
export class Watchers {
  private readonly watchers = new Map<string, Set<() => void>>();
  private hearing = false;
  private looking: NodeJS.Timeout | undefined;

  add(topic: string, changed: () => void): () => void {
    // A function of its own: the same one may be given twice.
    const watcher = (): void => changed();
    const all = this.watchers.get(topic) ?? new Set();
    this.watchers.set(topic, all.add(watcher));
    this.look();
    return () => {
      all.delete(watcher);
      if (all.size === 0 && this.watchers.get(topic) === all) this.watchers.delete(topic);
      this.look();
    };
  }

  tell(topic: string): void {
    for (const changed of [...(this.watchers.get(topic) ?? [])]) changed();
  }

  /** Whatever happens from now on is told, or is not. */
  hears(hearing: boolean): void {
    if (this.hearing === hearing) return;
    this.hearing = hearing;
    this.look();
    // Nobody knows what was missed.
    if (hearing) this.tellAll();
  }

  private tellAll(): void {
    for (const topic of [...this.watchers.keys()]) this.tell(topic);
  }

  private look(): void {
    const wanted = !this.hearing && this.watchers.size > 0;
    if (wanted === (this.looking !== undefined)) return;
    clearInterval(this.looking);
    // Whoever waits keeps the process alive, if they want it.
    this.looking = wanted ? setInterval(() => this.tellAll(), LOOK_EVERY_MS).unref() : undefined;
  }
}
