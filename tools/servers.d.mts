export function programOf(name: 'postgres' | 'etcd' | 'pgbouncer'): string;
