import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { CasBackend } from '../../../lib/cas/index.js';
import { SharedMemoryStore } from '../../../lib/cas/shared-memory/index.js';
import { LockManager } from '../../../lib/core/index.js';
import { type Job } from './job.js';

const { buffer, results, thread, callers, localHandOffs, leaseMs, untilMs, sections, die } = workerData as Job;

/** What the threads share: a counter that only a lock keeps right, and the token of the last one in. */
const shared = new BigInt64Array(results);
const backend = new CasBackend({ store: new SharedMemoryStore({ buffer }) });
const locks = new LockManager({ backend, localHandOffs, leaseMs, waitMs: Infinity });

let done = 0;
let begun = 0;
let disorder = 0;

async function call(): Promise<void> {
  while (begun < sections && Date.now() < untilMs) {
    begun += 1;
    const lock = await locks.acquire('counter');
    // Read and written apart: without a lock, updates are lost.
    const before = shared[0]!;
    if (lock.fencingToken <= shared[1]!) disorder += 1;
    shared[1] = lock.fencingToken;
    if (done % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    shared[0] = before + 1n;
    done += 1;
    await lock.release();
  }
}

function tell(message: object): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  (parentPort as MessagePort).postMessage(message);
}

if (die === true) {
  await locks.acquire('counter');
  tell({ thread, holds: true });
} else {
  await Promise.all(Array.from({ length: callers }, call));
  tell({ thread, done, disorder });
  await locks.close();
}
