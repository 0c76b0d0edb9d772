import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Server } from './zookeeper.options.js';

/** A server by its number in the network. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a server is now: none, if its name is not found in the time given. */
export async function addressesOf({ host, port }: Server, withinMs: number): Promise<readonly Address[]> {
  if (isIP(host) !== 0) return [{ host, port }];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never[]>((resolve) => (timer = setTimeout(resolve, withinMs, [])));
  try {
    const found = await Promise.race([lookup(host, { all: true }).catch(() => []), late]);
    return found.map(({ address }) => ({ host: address, port }));
  } finally {
    clearTimeout(timer);
  }
}
