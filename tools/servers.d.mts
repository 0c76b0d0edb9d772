export function programOf(name: 'postgres' | 'etcd' | 'pgbouncer' | 'chromium'): string;
