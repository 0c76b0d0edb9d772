export { type EtcdStoreOptions, type EtcdTls } from '../stores/etcd.options.js';
export { EtcdStore } from '../stores/etcd.store.js';
