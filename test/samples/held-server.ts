import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { until } from '../support/until.js';

/** A service that a sample asks. It answers when the test says so. */
export class HeldServer {
  /** How many questions there were at a time, at most. */
  most = 0;
  private readonly open: ServerResponse[] = [];
  private readonly server = createServer((_request, response) => {
    this.open.push(response);
    this.most = Math.max(this.most, this.open.length);
  });

  static async start(): Promise<HeldServer> {
    const held = new HeldServer();
    held.server.listen(0, '127.0.0.1');
    await once(held.server, 'listening');
    return held;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How many questions wait for their answer. */
  get asked(): number {
    return this.open.length;
  }

  /** Answers the one that has waited for the longest, when there is one. */
  async answer(text: string): Promise<void> {
    const response = await until('somebody asks', () => this.open.shift());
    response.end(text);
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
