import { all, type Entry, type Fault } from './history.js';

/** What happened in many runs: so that it is noticed when something never did. */
export class Tally {
  seeds = 0;
  virtualMs = 0;
  granted = 0;
  waitedFor = 0;
  refused = 0;
  lost = 0;
  writes = 0;
  writesRefused = 0;
  readonly faults = new Map<Fault, number>();

  add(history: readonly Entry[]): void {
    this.seeds += 1;
    this.virtualMs += history.at(-1)?.at ?? 0;
    for (const entry of all(history, 'given', 'refused', 'told', 'written', 'fault')) {
      if (entry.event === 'given') this.granted += 1;
      if (entry.event === 'given' && entry.waitedMs > 0) this.waitedFor += 1;
      if (entry.event === 'refused') this.refused += 1;
      if (entry.event === 'told') this.lost += 1;
      if (entry.event === 'written') this.writes += 1;
      if (entry.event === 'written' && !entry.accepted) this.writesRefused += 1;
      if (entry.event === 'fault') this.faults.set(entry.fault, (this.faults.get(entry.fault) ?? 0) + 1);
    }
  }

  get faultsInAll(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
  }

  summary(): string {
    const hours = (this.virtualMs / 3_600_000).toFixed(1);
    const faults = [...this.faults].toSorted(([, a], [, b]) => b - a).map(([fault, count]) => `${fault} ${count}`);
    return [
      `${this.seeds} seeds, ${hours} virtual hours, ${this.granted} locks (${this.waitedFor} waited for, ${this.lost} lost),`,
      `${this.refused} refusals, ${this.writes} writes (${this.writesRefused} turned away by their token),`,
      `${this.faultsInAll} faults: ${faults.join(', ')}`,
    ].join('\n');
  }
}
