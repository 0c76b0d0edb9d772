import { describeBackendConformance } from '../../lib/conformance/index.js';
import { memoryFixture } from '../support/memory.fixture.js';

// By the clock of the machine. In virtual time all modes are run (memory.spec.ts); here one of them does.
describeBackendConformance(memoryFixture('memory, in real time'), { only: /^(?!.*\[limit)/ });
