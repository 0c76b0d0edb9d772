import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ZooKeeperBackend } from 'nestjs-locked/zookeeper';
import { type LockPlace } from './lock-place.js';
import { startOwnServer } from './own-server.js';

/** What Debian's package has. */
const { ZOOKEEPER_CLASSPATH: classPath = '/usr/share/java/zookeeper.jar' } = process.env;

const place: LockPlace = {
  async start() {
    const { ZOOKEEPER_CONNECT: address } = process.env;
    if (address) return { address, stop: async () => undefined };
    const otherwise =
      'install ZooKeeper (Debian: apt-get install zookeeper), or set ZOOKEEPER_CONNECT to one that runs';
    return startOwnServer(otherwise, (port, folder) => {
      const file = join(folder, 'zoo.cfg');
      const settings = {
        dataDir: folder,
        clientPort: port,
        clientPortAddress: '127.0.0.1',
        'admin.enableServer': 'false',
      };
      const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
      writeFileSync(file, lines.join(''));
      return {
        address: `127.0.0.1:${port}`,
        command: 'java',
        args: ['-Xmx256m', '-cp', classPath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', file],
        answers: () => serves(port),
      };
    });
  },
  connect: (address) => new ZooKeeperBackend({ connect: String(address), root: '/ticket-sale' }),
};
export default place;

async function serves(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(1_000, () => socket.destroy());
  socket.write('srvr');
  const said = await text(socket);
  if (!said.includes('Zookeeper version')) throw new Error('it does not serve yet');
}
