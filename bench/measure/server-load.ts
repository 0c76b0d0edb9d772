import { type Redis } from 'ioredis';

/** What a server did between two looks, by its own account. */
export interface ServerLoad {
  /** How many commands clients sent of those that are asked for. */
  readonly commands: number;
  readonly cpuMs: number;
}

/**
 * Counted by the server as it goes, without MONITOR: that would slow down what is measured. It counts what scripts call as
 * well, so only names count that no script of the contender calls.
 */
export async function underLoad<T>(
  admin: Redis,
  names: readonly string[],
  work: () => Promise<T>,
): Promise<[T, ServerLoad]> {
  const before = await look(admin, names);
  const result = await work();
  const after = await look(admin, names);
  return [result, { commands: after.commands - before.commands, cpuMs: after.cpuMs - before.cpuMs }];
}

async function look(admin: Redis, names: readonly string[]): Promise<ServerLoad> {
  const stats = await admin.info('commandstats');
  const cpu = await admin.info('cpu');
  let commands = 0;
  for (const [, name, calls] of stats.matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)) {
    if (names.includes(name!)) commands += Number(calls);
  }
  const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(cpu)?.[1]);
  return { commands, cpuMs: 1_000 * (seconds('used_cpu_user') + seconds('used_cpu_sys')) };
}
