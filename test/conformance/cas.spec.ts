import { CasBackend, MemoryStore } from '../../lib/cas/index.js';
import { describeBackendConformance } from '../../lib/conformance/index.js';
import { IdleClock } from '../support/idle-clock.js';
import { keysOf } from '../support/memory.fixture.js';

const clock = new IdleClock();
const store = new MemoryStore();
describeBackendConformance({
  name: 'compare-and-swap in memory, in virtual time',
  connect: () => new CasBackend({ store }, { clock }),
  residue: () => keysOf({ list: () => store.list('') }),
  clock,
});
