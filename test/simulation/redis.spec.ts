import { describeSimulation } from './describe-simulation.js';
import { redisFamily } from './families/redis.family.js';

describeSimulation(redisFamily());
