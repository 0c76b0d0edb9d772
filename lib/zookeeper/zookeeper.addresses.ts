import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { NotKnownError } from './zookeeper.errors.js';
import { type Server } from './zookeeper.options.js';

/**
 * The servers as addresses: the driver would look names up itself after every answer, on the main thread, and goes deaf when
 * the name server does. A name that is not found leaves out its server, unless none is left.
 */
export async function addressesOf(servers: readonly Server[], withinMs: number): Promise<string> {
  const found = await Promise.all(servers.map((server) => resolve(server, withinMs)));
  const addresses = [...new Set(found.flat())];
  if (addresses.length === 0) {
    throw new NotKnownError(`no address found for ${servers.map(({ host }) => host).join(', ')}`);
  }
  return addresses.join(',');
}

async function resolve({ host, port }: Server, withinMs: number): Promise<string[]> {
  if (isIP(host) !== 0) return [address(host, port)];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never[]>((resolve) => (timer = setTimeout(resolve, withinMs, [])));
  try {
    const found = await Promise.race([lookup(host, { all: true }).catch(() => []), late]);
    return found.map((each) => address(each.address, port));
  } finally {
    clearTimeout(timer);
  }
}

/** The driver takes what is before the last colon for the host, as it is. */
function address(ip: string, port: number): string {
  return `${ip}:${port}`;
}
