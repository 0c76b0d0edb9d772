import { afterAll, beforeAll, describe } from '@jest/globals';
import { EtcdStore } from '../../lib/cas/etcd/index.js';
import { CasBackend } from '../../lib/cas/index.js';
import { describeBackendConformance } from '../../lib/conformance/index.js';
import { type EtcdServer, startEtcd } from '../support/etcd-server.js';

describe('etcd', () => {
  let server: EtcdServer;
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(() => server.stop());

  describeBackendConformance({
    name: 'compare-and-swap on etcd',
    connect: () => new CasBackend({ store: new EtcdStore({ url: server.url }) }),
    residue: async () => {
      const everything = { key: 'AA==', range_end: 'AA==', count_only: true };
      const { count = 0 } = await server.ask<{ count?: string }>('/v3/kv/range', everything);
      return Number(count);
    },
  });
});
