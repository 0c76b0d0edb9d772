export { ZooKeeperBackend } from './zookeeper.backend.js';
export type { ZooKeeperBackendOptions } from './zookeeper.options.js';
