import { CasBackend } from 'nestjs-locked/cas';
import { EtcdStore } from 'nestjs-locked/cas/etcd';
import { type LockPlace } from './lock-place.js';
import { freePort, startOwnServer } from './own-server.js';

const place: LockPlace = {
  async start() {
    const { ETCD_URL: address } = process.env;
    if (address) return { address, stop: async () => undefined };
    const otherwise = 'install etcd (Debian: apt-get install etcd-server), or set ETCD_URL to one that runs';
    return startOwnServer(otherwise, async (port, folder) => {
      const url = `http://127.0.0.1:${port}`;
      const peer = `http://127.0.0.1:${await freePort()}`;
      const settings = {
        'data-dir': folder,
        'listen-client-urls': url,
        'advertise-client-urls': url,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': `default=${peer}`,
      };
      return {
        address: url,
        command: 'etcd',
        args: Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
        answers: () => new EtcdStore({ url, commandTimeoutMs: 1_000 }).read('a'),
      };
    });
  },
  connect: (url) => new CasBackend({ store: new EtcdStore({ url: String(url), prefix: 'ticket-sale/' }) }),
};
export default place;
