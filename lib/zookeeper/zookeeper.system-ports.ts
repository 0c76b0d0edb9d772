import { systemClock } from '../core/clock.js';
import { openDriver } from './zookeeper.driver.js';
import { type SessionPorts } from './zookeeper.ports.js';
import { ZooKeeperRelay } from './zookeeper.relay.js';

export const systemPorts: SessionPorts = {
  clock: systemClock,
  openDriver,
  makeRelay: (terms) => new ZooKeeperRelay(terms),
  nextTurn: setImmediate,
};
