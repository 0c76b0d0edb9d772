export {
  type SharedMemorySize,
  SharedMemoryStore,
  type SharedMemoryStoreOptions,
} from '../stores/shared-memory.store.js';
