import { CasBackend } from '../../lib/cas/index.js';
import { SharedMemoryStore } from '../../lib/cas/shared-memory/index.js';
import { describeBackendConformance } from '../../lib/conformance/index.js';
import { keysOf } from '../support/memory.fixture.js';

// In real time, since threads are woken in no other. Each client is what a thread is: a store of its own on the one buffer.
const buffer = SharedMemoryStore.allocate();
describeBackendConformance(
  {
    name: 'compare-and-swap in shared memory',
    connect: () => new CasBackend({ store: new SharedMemoryStore({ buffer }) }),
    residue: () => keysOf({ list: () => new SharedMemoryStore({ buffer }).list('') }),
    leaseMs: 200,
  },
  { only: /^(?!.*\[limit)/ },
);
