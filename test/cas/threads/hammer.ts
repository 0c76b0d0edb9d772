import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SharedMemoryStore } from '../../../lib/cas/shared-memory/index.js';

const { buffer, forMs } = workerData as { buffer: SharedArrayBuffer; forMs: number };
const store = new SharedMemoryStore({ buffer });
const endAt = Date.now() + forMs;
let torn = 0;
let written = 0;

// Each value is one byte, many times: half of one and half of another would be seen.
for (let round = 0; Date.now() < endAt; round += 1) {
  try {
    const seen = await store.read('x');
    if (seen !== null && seen.value.some((byte) => byte !== seen.value[0])) torn += 1;
    const next = Buffer.alloc(200 + (round % 100), round % 251);
    if ((await store.write('x', next, seen?.version ?? null)).ok) written += 1;
  } catch {
    torn += 1;
  }
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
(parentPort as MessagePort).postMessage({ torn, written });
