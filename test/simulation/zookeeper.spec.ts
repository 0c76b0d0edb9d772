import { describeSimulation } from './describe-simulation.js';
import { zooKeeperFamily } from './families/zookeeper.family.js';

describeSimulation(zooKeeperFamily());
