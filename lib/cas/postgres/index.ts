export { PostgresStore, type PostgresStoreOptions } from '../stores/postgres.store.js';
export { postgresTableSql } from '../stores/postgres.table.js';
