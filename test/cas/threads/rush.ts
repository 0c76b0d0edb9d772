import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SharedMemoryStore } from '../../../lib/cas/shared-memory/index.js';
import { type Job } from './job.js';

export interface Plan extends Pick<Job, 'callers' | 'localHandOffs' | 'leaseMs' | 'sections'> {
  readonly threads: number;
  readonly forMs: number;
  /** A thread before them takes the lock and is terminated. */
  readonly afterDeath?: boolean;
}

export interface Rush {
  readonly counter: number;
  /** How many critical sections each thread went through. */
  readonly done: readonly number[];
  readonly disorder: number;
  readonly tookMs: number;
  readonly keysLeft: readonly string[];
}

/** Threads that go through critical sections under one lock, as many as they can. */
export async function rush(script: string, { threads, forMs, afterDeath = false, ...rest }: Plan): Promise<Rush> {
  const buffer = SharedMemoryStore.allocate({ keys: 16 });
  const results = new SharedArrayBuffer(16);
  const start = (thread: number, die: boolean): Worker => {
    const job: Job = { ...rest, buffer, results, thread, untilMs: Date.now() + forMs, die };
    return new Worker(script, { workerData: job });
  };
  if (afterDeath) {
    const dead = start(-1, true);
    await once(dead, 'message');
    await dead.terminate();
  }
  const startedAt = performance.now();
  const reports = await Promise.all(
    Array.from({ length: threads }, async (_, thread) => {
      const worker = start(thread, false);
      const [[report]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return report as { done: number; disorder: number };
    }),
  );
  const tookMs = performance.now() - startedAt;
  const keysLeft: string[] = [];
  for await (const key of new SharedMemoryStore({ buffer }).list('')) keysLeft.push(key);
  const disorder = reports.reduce((sum, report) => sum + report.disorder, 0);
  return {
    counter: Number(new BigInt64Array(results)[0]),
    done: reports.map(({ done }) => done),
    disorder,
    tookMs,
    keysLeft,
  };
}
