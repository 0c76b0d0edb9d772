import { describeSimulation } from './describe-simulation.js';
import { memoryFamily } from './families/memory.family.js';

describeSimulation(memoryFamily());
