import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Protocol, TcpConnection } from './tcp-connection.js';
import { TcpDirection } from './tcp-direction.js';
import { until } from './until.js';

export type { Protocol } from './tcp-connection.js';

const CHUNKS: Protocol = { endOfMessage: ({ length }) => length || undefined, answers: () => true };

/** Stands between clients and a server on the loopback, and lets through as much as a test wants. */
export class TcpProxy {
  readonly toServer = new TcpDirection();
  readonly toClient = new TcpDirection();
  /** How many connections there were, and how many replies were lost. */
  accepted = 0;
  repliesLost = 0;
  private losing: { matches: (request: Buffer) => boolean; times: number } | undefined;
  private listener: Server | undefined;
  private readonly open = new Set<TcpConnection>();
  private listeningOn = 0;

  private constructor(
    /** The port that new connections go to. */
    public target: number,
    private readonly protocol: Protocol,
  ) {}

  /** Without a protocol, a message is a chunk, as large as chance has it. */
  static async start(target: number, protocol = CHUNKS): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, protocol);
    await proxy.accept();
    return proxy;
  }

  get port(): number {
    return this.listeningOn;
  }

  /** Connections now. */
  get connections(): number {
    return this.open.size;
  }

  /** New connections are refused from now on. Those that are open stay. */
  refuse(): void {
    this.listener?.close();
    this.listener = undefined;
  }

  /** New connections are taken again, on the same port. */
  async accept(): Promise<void> {
    this.listener ??= await until('the port of the proxy is free', async () => {
      const listener = createServer({ allowHalfOpen: true }, (client) => this.join(client));
      await once(listener.listen(this.listeningOn, '127.0.0.1'), 'listening');
      return listener;
    });
    this.listeningOn = (this.listener.address() as AddressInfo).port;
  }

  /** Resets all connections. */
  cut(): void {
    for (const connection of this.open) connection.cut();
  }

  /** The next requests that match get through; when the server has done one and replies, its connection is reset instead. */
  dropRepliesThenReset(matches: (request: Buffer) => boolean, times = 1): void {
    this.losing = { matches, times };
  }

  close(): void {
    this.refuse();
    this.cut();
  }

  private join(client: Socket): void {
    this.accepted += 1;
    const server = connect({ host: '127.0.0.1', port: this.target, allowHalfOpen: true });
    const connection = new TcpConnection(
      { socket: client, direction: this.toServer },
      { socket: server, direction: this.toClient },
      this.protocol,
      {
        losesReplyTo: (request) => this.losesReplyTo(request),
        replyLost: () => (this.repliesLost += 1),
        closed: () => this.open.delete(connection),
      },
    );
    this.open.add(connection);
  }

  private losesReplyTo(request: Buffer): boolean {
    if (this.losing === undefined || this.losing.times === 0 || !this.losing.matches(request)) return false;
    this.losing.times -= 1;
    return true;
  }
}
