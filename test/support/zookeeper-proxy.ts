import { type Protocol, TcpProxy } from './tcp-proxy.js';

/** In front of a ZooKeeper server: what its switches count and match is requests, replies and events, each as a whole. */
export function startZooKeeperProxy(server: { readonly port: number }): Promise<TcpProxy> {
  return TcpProxy.start(server.port, jute);
}

export const OPERATION = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  container: 19,
};

/** The operation that a request asks for; undefined: it is the handshake. */
export function operationOf(request: Buffer): number | undefined {
  // A handshake begins with the version of the protocol, 0, where others have their number; numbers begin at 1 or below 0.
  return request.readInt32BE(4) === 0 ? undefined : request.readInt32BE(8);
}

export function asksFor(operation: keyof typeof OPERATION): (request: Buffer) => boolean {
  return (request) => operationOf(request) === OPERATION[operation];
}

/** Answers to watches have the number -1. */
const jute: Protocol = {
  endOfMessage: (bytes) => {
    if (bytes.length < 4) return undefined;
    const end = 4 + bytes.readInt32BE(0);
    return end <= bytes.length ? end : undefined;
  },
  answers: (message) => message.readInt32BE(4) !== -1,
};
