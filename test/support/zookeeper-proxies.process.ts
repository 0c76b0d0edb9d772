import { type TcpProxy } from './tcp-proxy.js';
import { startZooKeeperProxy } from './zookeeper-proxy.js';

/** What the parent asks for, and what it is answered: the port of a new proxy, or that it is done. */
export type Order =
  | { readonly id: number; readonly open: number }
  | { readonly id: number; readonly port: number; readonly turn: 'blackHole' | 'pass' | 'cut' | 'close' };

const proxies = new Map<number, TcpProxy>();

process.on('message', (order) => void obey(order as Order));
process.on('disconnect', () => process.exit());

async function obey(order: Order): Promise<void> {
  let port = 0;
  if ('open' in order) {
    const proxy = await startZooKeeperProxy({ port: order.open });
    ({ port } = proxy);
    proxies.set(port, proxy);
  } else {
    ({ port } = order);
    turn(proxies.get(port)!, order.turn);
    if (order.turn === 'close') proxies.delete(port);
  }
  process.send!({ id: order.id, port });
}

function turn(proxy: TcpProxy, how: 'blackHole' | 'pass' | 'cut' | 'close'): void {
  if (how === 'cut' || how === 'close') proxy[how]();
  else for (const direction of [proxy.toServer, proxy.toClient]) direction[how]();
}
