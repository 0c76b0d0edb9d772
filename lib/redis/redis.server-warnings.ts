const OLDEST = [6, 2];
const OLDEST_CLUSTER = [7, 0];

/** What may cost locks on a server that says this of itself (`INFO`). */
export function serverWarnings(info: string, cluster: boolean): string[] {
  const facts = new Map(info.split(/\r?\n/).map((line) => line.split(':', 2) as [string, string]));
  const warnings: string[] = [];

  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction' && facts.get('maxmemory') !== '0') {
    warnings.push(
      `maxmemory-policy is ${policy}: when memory is short, Redis may evict a lock that is held. Locks want noeviction.`,
    );
  }
  if (Number(facts.get('connected_slaves') ?? 0) > 0 && !facts.has('min_slaves_good_slaves')) {
    warnings.push(
      'there are replicas, and min-replicas-to-write is 0: a master cut off from them goes on granting locks that a ' +
        'failover forgets. Set min-replicas-to-write and min-replicas-max-lag.',
    );
  }
  if (facts.get('redis_mode') === 'cluster' && !cluster) {
    warnings.push(
      'this is a node of a Cluster, and the client is none for a Cluster: its locks and those of a Cluster client do not ' +
        'know of each other. Give the backend a Cluster of ioredis.',
    );
  }
  const valkey = facts.has('valkey_version');
  const version = facts.get('redis_version') ?? '';
  const oldest = cluster ? OLDEST_CLUSTER : OLDEST;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const tooOld = major < oldest[0]! || (major === oldest[0] && minor < oldest[1]!);
  if (!valkey && version !== '' && tooOld) {
    warnings.push(`Redis ${version} is too old: locks need ${oldest.join('.')}${cluster ? ' in a Cluster' : ''}.`);
  }
  return warnings;
}
