import { describeSimulation } from './describe-simulation.js';
import { casFamily } from './families/cas.family.js';

describeSimulation(casFamily());
