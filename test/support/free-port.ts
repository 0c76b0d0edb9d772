import { type AddressInfo, createServer } from 'node:net';

/**
 * A loopback port that was free just now; whoever starts something on it tries again with another one if it is not.
 * Linux gives odd ports to those who listen and even ones to those who connect, so that a client which keeps knocking
 * at the port of a server that is down does not take it.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
