import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Crowd, CrowdReport } from './cas-claimants.process.js';
import { type Hold } from './cas-history.js';

export interface CrowdsReport {
  readonly holds: readonly Hold[];
  /** Of each lock, the fewest first: how often the store was asked to write for it. */
  readonly writes: readonly number[];
}

/** So many processes with a crowd each, that begin at the same time. */
export async function letCrowdsIn(processes: number, crowd: Crowd): Promise<CrowdsReport> {
  const children = Array.from({ length: processes }, () => start(crowd));
  try {
    await Promise.all(children.map((child) => said(child)));
    for (const child of children) child.send('begin');
    const reports = (await Promise.all(children.map((child) => said(child)))) as CrowdReport[];
    const holds = reports.flatMap((report) => report.holds);
    return {
      holds: holds.map(({ from, to, slots, token }) => ({ from, to, slots: slots ?? Infinity, token: BigInt(token) })),
      writes: reports.flatMap((report) => report.writes).toSorted((a, b) => a - b),
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function start(crowd: Crowd): ChildProcess {
  return fork(join(import.meta.dirname, 'cas-claimants.process.ts'), [JSON.stringify(crowd)], {
    execArgv: ['--import', join(import.meta.dirname, '../support/typescript.mjs')],
  });
}

async function said(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  const gone = once(child, 'exit', { signal: over.signal }).then(([code, signal]) => {
    throw new Error(`a process of the crowd ended with ${code ?? signal}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: over.signal }), gone])) as [unknown];
    return message;
  } finally {
    gone.catch(() => undefined);
    over.abort();
  }
}
