import { setTimeout as sleep } from 'node:timers/promises';
import { type Link } from './link.js';
import { type Site } from './site.js';
import { type Worker } from './worker.js';

/** What faults act on. */
export class World {
  readonly workers: Worker[] = [];
  /** Of those, too, that are just beginning. */
  readonly links: Link[] = [];

  constructor(
    readonly site: Site,
    readonly chance: () => number,
    private readonly startWorker: () => Promise<Worker>,
    private readonly namesOfHolders: () => readonly string[],
  ) {}

  async grow(): Promise<void> {
    this.workers.push(await this.startWorker());
  }

  /** One of them by chance; more often than not one that holds a lock, and has more to lose. */
  get someone(): Worker {
    const { holders } = this;
    return this.oneOf(holders.length > 0 && this.chance() < 0.7 ? holders : this.workers);
  }

  /** Those that are at the resource. */
  get holders(): Worker[] {
    const names = this.namesOfHolders();
    return this.workers.filter(({ name }) => names.includes(name));
  }

  oneOf<T>(all: readonly T[]): T {
    return all[Math.floor(this.chance() * all.length)]!;
  }

  /** The process dies, and another one begins anew in its place. */
  async replace(worker: Worker): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    await worker.kill();
    await this.grow();
  }

  /** For so many leases, from the one to the other by chance. */
  async lasts(from: number, to = from): Promise<void> {
    await sleep(this.leases(from, to));
  }

  leases(from: number, to = from): number {
    return this.site.leaseMs * (from + this.chance() * (to - from));
  }
}
