export const zooKeeperClassPath: string;
export function isZooKeeperInstalled(): boolean;
export function programOf(name: 'postgres' | 'etcd' | 'pgbouncer' | 'chromium'): string;
