import { setTimeout as sleep } from 'node:timers/promises';
import { type Locker } from '../contenders/contender.js';

export interface CrowdTerms {
  readonly key: string;
  readonly callers: number;
  readonly insideMs: number;
  readonly forMs: number;
}

/** What callers of one process saw who all wanted one key, again and again. Can be sent to another process. */
export interface CrowdReport {
  /** Of each caller, until the time was over. */
  readonly inTime: readonly number[];
  /** With those of callers who still waited then, and had their turn afterwards: giving up is not the same everywhere. */
  readonly sections: number;
  readonly waitsMs: readonly number[];
  /** In the sections, in all. */
  readonly insideMs: number;
  /** How many got in before one who had asked earlier. */
  readonly overtakings: number;
  /** Of this process, until the last has had its turn. */
  readonly cpuMs: number;
}

/** Everybody has at least one section; whoever waits when the time is over still has its turn. */
export async function crowd(locker: Locker, { key, callers, insideMs, forMs }: CrowdTerms): Promise<CrowdReport> {
  const inTime = Array.from({ length: callers }, () => 0);
  let sections = 0;
  const waitsMs: number[] = [];
  // In order of asking.
  const asking = new Set<number>();
  let asked = 0;
  let inside = 0;
  let overtakings = 0;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(
    inTime.map(async (_, caller) => {
      do {
        const ticket = (asked += 1);
        asking.add(ticket);
        const askedAt = performance.now();
        const release = await locker.acquire(key);
        const enteredAt = performance.now();
        if (asking.values().next().value !== ticket) overtakings += 1;
        asking.delete(ticket);
        if (insideMs > 0) await sleep(insideMs);
        waitsMs.push(enteredAt - askedAt);
        inside += performance.now() - enteredAt;
        sections += 1;
        if (performance.now() - startedAt < forMs) inTime[caller] = inTime[caller]! + 1;
        await release();
      } while (performance.now() - startedAt < forMs);
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  return { inTime, sections, waitsMs, insideMs: inside, overtakings, cpuMs: (user + system) / 1_000 };
}
