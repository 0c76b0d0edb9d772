import { TcpProxy } from '../support/tcp-proxy.js';

/** The way of one process to all servers: a proxy for each, whose switches are turned together. */
export class Link {
  private closed = false;

  private constructor(readonly proxies: readonly TcpProxy[]) {}

  static async to(ports: readonly number[]): Promise<Link> {
    return new Link(await Promise.all(ports.map((port) => TcpProxy.start(port))));
  }

  get ports(): number[] {
    return this.proxies.map(({ port }) => port);
  }

  /** New connections lead there; those that are open are reset. */
  lead(ports: readonly number[]): void {
    this.proxies.forEach((proxy, index) => (proxy.target = ports[index]!));
    this.cut();
  }

  cut(): void {
    for (const proxy of this.proxies) proxy.cut();
  }

  refuse(): void {
    for (const proxy of this.proxies) proxy.refuse();
    this.cut();
  }

  silence(...directions: readonly ('toServer' | 'toClient')[]): void {
    for (const proxy of this.proxies) for (const direction of directions) proxy[direction].blackHole();
  }

  delay(delayMs: number, ...directions: readonly ('toServer' | 'toClient')[]): void {
    for (const proxy of this.proxies) for (const direction of directions) proxy[direction].delay(delayMs);
  }

  /** What is sent on connections that are open now arrives later than what is sent on new ones. */
  letNewConnectionsOvertake(): void {
    for (const proxy of this.proxies) proxy.toServer.holdUpOpenStreams();
  }

  /** The next requests are done, and instead of each reply the connection is reset. */
  loseReplies(times: number): void {
    for (const proxy of this.proxies) proxy.dropRepliesThenReset(() => true, times);
  }

  async heal(): Promise<void> {
    for (const proxy of this.proxies) for (const each of [proxy.toServer, proxy.toClient]) each.pass();
    if (!this.closed) await Promise.all(this.proxies.map((proxy) => proxy.accept()));
    // Its process may have been killed meanwhile.
    if (this.closed) this.close();
  }

  close(): void {
    this.closed = true;
    for (const proxy of this.proxies) proxy.close();
  }
}
