export { RedisBackend } from './redis.backend.js';
export type { RedisBackendOptions, RedisConnection } from './redis.options.js';
