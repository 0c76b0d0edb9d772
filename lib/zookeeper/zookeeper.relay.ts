import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Moment, momentOf } from '../core/moment.js';
import { type Address, addressesOf } from './zookeeper.addresses.js';
import { Goodbye } from './zookeeper.goodbye.js';
import { MOST_SILENCE, type Relay, type RelayTerms } from './zookeeper.ports.js';

/** The driver hangs up by itself after two thirds of a timeout. */
const PATIENCE_PER_TIMEOUT = 1 / 3;
const MOST_PATIENCE_MS = 5_000;
const GOODBYE_MS = 1_500;
const RETRY_MS = 50;

/**
 * What the driver takes for its server: a listener on the loopback interface that passes on what the driver and one of the
 * servers say to each other.
 *
 * The driver closes its socket behind the back of the event loop, which goes on to listen to its number, when a connection is
 * refused at once, is reset while it sends, is silent for long, or is closed because other addresses are set. The next socket
 * of the process has that number, and goes deaf; or the process ends. So here a connection is always accepted, and ended in
 * order before the driver gives it up; names are looked up, and servers chosen, for each connection anew.
 */
export class ZooKeeperRelay implements Relay {
  heardAt = Infinity;
  private greeted: Moment;
  private readonly listener = createServer({ allowHalfOpen: true, noDelay: true }, (driver) => void this.serve(driver));
  private driver: Socket | undefined;
  private server: Socket | undefined;
  private goodbye = new Goodbye();
  private next: number;
  private closed = false;

  constructor(private readonly terms: RelayTerms) {
    this.greeted = momentOf(terms.clock);
    this.next = randomInt(terms.servers.length);
  }

  get greetedAt(): Moment {
    return this.greeted;
  }

  async open(): Promise<string> {
    await once(this.listener.listen(0, '127.0.0.1'), 'listening');
    this.listener.unref();
    const { port } = this.listener.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  /**
   * Says goodbye to the server, which then ends the session, in place of the driver: that holds up the event loop until it is
   * answered. Resolves when the driver knows of no connection.
   */
  async close(): Promise<void> {
    this.closed = true;
    this.listener.close();
    const { driver, server } = this;
    const gone = [driver, server].map((socket) => socket && !socket.destroyed && once(socket, 'close'));
    if (driver !== undefined) server?.unpipe(driver);
    this.goodbye.say(server);
    driver?.end();
    await Promise.race([Promise.allSettled(gone), sleep(GOODBYE_MS, undefined, { ref: false })]);
    driver?.destroy();
    server?.destroy();
  }

  cut(): void {
    this.driver?.destroy();
  }

  private get patienceMs(): number {
    return Math.min(MOST_PATIENCE_MS, this.terms.timeoutMs() * PATIENCE_PER_TIMEOUT);
  }

  private async serve(driver: Socket): Promise<void> {
    // It has one connection at a time: of an earlier one, nothing is left to be heard.
    this.server?.destroy();
    this.driver = driver;
    this.heardAt = this.terms.clock.now();
    driver.on('error', () => undefined);
    driver.on('close', () => {
      if (this.driver === driver) this.heardAt = Infinity;
    });
    driver.on('end', () => driver.end());
    const server = await this.greet(driver);
    if (server === undefined || this.closed || driver.destroyed || this.driver !== driver) {
      server?.destroy();
      driver.resume().end();
      return;
    }
    driver.pipe(server, { end: false });
    server.pipe(driver);
    driver.on('close', () => server.destroy());
    // In order, and all that it says meanwhile is taken: it would see a reset otherwise.
    server.on('close', () => driver.resume().end());
    this.listen(server);
  }

  /**
   * A server that has answered the greeting of the driver, which is passed on to one after the other: those that elect a
   * leader hang up on it, and the driver would wait for a third of a timeout before it tried again. All of them together
   * have a third of a timeout: after two, the driver hangs up.
   */
  private async greet(driver: Socket): Promise<Socket | undefined> {
    const greeting: Buffer[] = [];
    const keep = (bytes: Buffer): void => void greeting.push(bytes);
    driver.on('data', keep);
    const { clock } = this.terms;
    const until = clock.now() + this.patienceMs;
    try {
      while (clock.now() < until && !driver.destroyed && !this.closed) {
        const server = await this.reach(driver, until);
        if (server !== undefined && (await this.answers(server, driver, greeting, until))) return server;
        await sleep(RETRY_MS, undefined, { ref: false });
      }
      return undefined;
    } finally {
      driver.off('data', keep);
      driver.pause();
    }
  }

  private async answers(server: Socket, driver: Socket, greeting: readonly Buffer[], until: number): Promise<boolean> {
    this.server = server;
    this.goodbye = new Goodbye();
    this.greeted = momentOf(this.terms.clock);
    const say = (bytes: Buffer): void => {
      this.goodbye.heard(bytes);
      server.write(bytes);
    };
    driver.on('data', say);
    for (const bytes of greeting) say(bytes);
    const timer = setTimeout(() => server.destroy(), until - this.terms.clock.now());
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([
        once(server, 'readable', { signal }),
        once(server, 'close', { signal }),
        once(driver, 'close', { signal }),
      ]);
      const answered = !server.destroyed && server.readableLength > 0;
      if (answered) driver.on('data', (bytes: Buffer) => this.goodbye.heard(bytes));
      else server.destroy();
      return answered;
    } catch {
      server.destroy();
      return false;
    } finally {
      clearTimeout(timer);
      // Or else the driver's socket would have two listeners more for each server that is greeted.
      over.abort();
      driver.off('data', say);
    }
  }

  /** To the first server that can be reached in time, beginning with the one after the last. */
  private async reach(driver: Socket, until: number): Promise<Socket | undefined> {
    const { servers, clock } = this.terms;
    const eachMs = this.patienceMs / servers.length;
    const leftMs = (): number => Math.min(eachMs, until - clock.now());
    for (const _ of servers) {
      const server = servers[this.next++ % servers.length]!;
      for (const address of await addressesOf(server, leftMs())) {
        if (driver.destroyed || this.closed || leftMs() <= 0) return undefined;
        const socket = await connected(address, leftMs());
        if (socket === undefined) continue;
        if (!driver.destroyed && !this.closed) return socket;
        // Whoever wanted it has gone meanwhile.
        socket.destroy();
        return undefined;
      }
    }
    return undefined;
  }

  /** A server that says nothing for long is left for the next. */
  private listen(server: Socket): void {
    server.on('data', () => {
      const { clock, timeoutMs } = this.terms;
      if (clock.now() - this.heardAt < timeoutMs() * MOST_SILENCE) this.heardAt = clock.now();
    });
    const isSilent = (): boolean => this.terms.clock.now() - this.heardAt >= this.patienceMs;
    const timer = setInterval(() => {
      // What arrived while the event loop was held up is heard first.
      if (isSilent()) setImmediate(() => void (isSilent() && server.destroy()));
    }, this.patienceMs / 4);
    timer.unref();
    server.on('close', () => clearInterval(timer));
  }
}

async function connected({ host, port }: Address, withinMs: number): Promise<Socket | undefined> {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  // From now on and for as long as it lives: an error that nobody hears would end the process.
  socket.on('error', () => undefined);
  const timer = setTimeout(() => socket.destroy(new Error('too late')), withinMs);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    socket.destroy();
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
