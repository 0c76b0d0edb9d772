export { CasBackend, type CasBackendOptions } from './cas.backend.js';
export type { CasStore, Version, Versioned, Written } from './cas.store.js';
export { MemoryStore } from './stores/memory.store.js';
