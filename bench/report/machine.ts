import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { cpus, loadavg, totalmem, type as system, release } from 'node:os';
import { join } from 'node:path';
import { type Stage } from '../stage/stage.js';

const ROOT = join(import.meta.dirname, '../..');

/** What has to be known of where and when a figure was measured. */
export type Facts = ReadonlyMap<string, string>;

/** Before anything is measured: the load is that of others. */
export async function factsOf(stage: Stage): Promise<Facts> {
  const { admin } = await stage.redis();
  const redis = /redis_version:(\S+)/.exec(await admin.info('server'))?.[1] ?? '';
  const [processor] = cpus();
  return new Map([
    ['date', new Date().toISOString().slice(0, 16).replace('T', ' ')],
    ['commit', commit()],
    ['built package', buildDigest()],
    ['processor', `${processor?.model.trim()}, ${cpus().length} cores`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['system', `${system()} ${release()}`],
    ['load at the start, of 1, 5, 15 min', loadOf(loadavg(), cpus().length)],
    ['Node', process.version],
    ['Redis', redis],
    ['ioredis', versionOf('ioredis')],
    ['zookeeper (driver)', versionOf('zookeeper')],
  ]);
}

/** Half a core of others' work is as much as the comparisons bear without it being seen. */
function loadOf(averages: readonly number[], cores: number): string {
  const text = averages.map((load) => load.toFixed(2)).join(', ');
  return averages[0]! < cores / 2 ? text : `${text}: **the machine was busy**, only ratios and counts mean something`;
}

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'lib') === '' ? '' : ', with changes in lib';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed}`;
  } catch {
    return 'unknown: no git here';
  }
}

/** Of all that was measured: two results with the same one are of the same code. */
function buildDigest(): string {
  const hash = createHash('sha256');
  const folder = join(ROOT, 'dist');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (/\.(js|lua)$/.test(name) && statSync(join(folder, name)).isFile())
      hash.update(name).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

function versionOf(name: string): string {
  const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
