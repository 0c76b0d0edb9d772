import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LockBackendError } from '../../lib/core/index.js';
import { type EtcdServer, startEtcd, startEtcdCluster } from '../support/etcd-server.js';
import { until } from '../support/until.js';
import { openStore } from './cas-stores.js';
import { Traffic } from './cas-traffic.js';

jest.setTimeout(240_000);

function open(...servers: readonly EtcdServer[]) {
  const address = { kind: 'etcd', url: servers.map(({ url }) => url), commandTimeoutMs: 500 } as const;
  return Array.from({ length: 3 }, () => openStore(address));
}

function told(traffic: Traffic, since: number): Promise<Error> {
  return until('callers are told', () => {
    return traffic.errors.slice(since).find((each) => each instanceof LockBackendError);
  });
}

describe('locks on etcd', () => {
  let server: EtcdServer;
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(() => server.stop());

  it('stay locks when it is killed and started again, and say meanwhile what is wrong', async () => {
    await using traffic = new Traffic(open(server));
    for (let round = 0; round < 3; round += 1) {
      await traffic.moves();
      await server.kill();
      const [before, locks] = [traffic.errors.length, traffic.locks];
      expect(String((await told(traffic, before)).cause)).toMatch(/ECONNREFUSED|ECONNRESET|hang up/);
      expect(traffic.locks).toBeLessThan(locks + 12);
      await server.restart();
    }
    await traffic.moves();
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
  });

  it('that does not answer are not believed to be free or busy', async () => {
    await using traffic = new Traffic(open(server));
    await traffic.moves();
    server.pause();
    try {
      expect(String((await told(traffic, traffic.errors.length)).cause)).toMatch(/no answer/);
    } finally {
      server.resume();
    }
    await traffic.moves();
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
  });
});

describe('locks on a cluster of etcd', () => {
  let servers: readonly EtcdServer[];
  beforeAll(async () => {
    servers = await startEtcdCluster();
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  it('go on without any one of its members, stopped or killed, and stay locks', async () => {
    await using traffic = new Traffic(open(...servers));
    // One of them is the leader.
    for (const server of servers) {
      await traffic.moves();
      server.pause();
      await traffic.moves();
      server.resume();
      await traffic.moves();
      await server.kill();
      await traffic.moves();
      await server.restart();
    }
    await traffic.moves();
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
  });

  it('end with the majority, and go on with it', async () => {
    await using traffic = new Traffic(open(...servers));
    await traffic.moves();
    await Promise.all(servers.slice(1).map((server) => server.kill()));
    await told(traffic, traffic.errors.length);
    await Promise.all(servers.slice(1).map((server) => server.restart()));
    await traffic.moves();
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
  });
});
