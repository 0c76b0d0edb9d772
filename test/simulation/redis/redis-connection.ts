import { type Clock } from '../../../lib/core/index.js';
import { type RedisPort, type RedisPortListeners } from '../../../lib/redis/redis.port.js';
import { type ScriptName } from '../../../lib/redis/redis.scripts.js';
import { type Asking, Order } from '../world/network.js';
import { type RedisServer, type Subscriber } from './redis-server.js';

/** How questions and messages travel, and whether anything does. */
export interface Way {
  readonly open: boolean;
  ask<T>(execute: () => Promise<T>, asking: Asking): Promise<T>;
  tell(hear: () => void): void;
}

const RECONNECT_AFTER_MS = 50;
const COMMAND_TIMEOUT_MS = 1_000;

/** One connection: it fails as a whole, with all that is under way on it, and is made again. */
class Connection {
  order = new Order();
  private readonly underWay = new Set<(error: Error) => void>();
  private readonly waiting = new Set<() => void>();
  private up = false;
  private closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly way: Way,
    private readonly opened: () => void,
    private readonly lost: () => void,
  ) {
    this.reconnect(0);
  }

  /** Rejects with the connection, or after as long as a server may be silent. */
  async ask<T>(execute: () => Promise<T>): Promise<T> {
    await this.ready();
    const { order, underWay } = this;
    return new Promise<T>((resolve, reject) => {
      underWay.add(reject);
      const silence = this.clock.alarm(COMMAND_TIMEOUT_MS, () => this.fail(order, new Error('no answer')));
      this.way
        .ask(execute, { order, silenceMs: 2 * COMMAND_TIMEOUT_MS })
        .then(resolve, (error: Error) => {
          // What the server says is an answer. Anything else ends the connection.
          if (!error.message.startsWith('NOSCRIPT')) this.fail(order, error);
          reject(error);
        })
        .finally(() => {
          silence.cancel();
          underWay.delete(reject);
        });
    });
  }

  fail(order: Order, error: Error): void {
    if (order !== this.order || this.closed) return;
    this.order = new Order();
    this.up = false;
    for (const reject of [...this.underWay]) reject(error);
    this.underWay.clear();
    this.lost();
    this.reconnect(RECONNECT_AFTER_MS);
  }

  close(): void {
    this.fail(this.order, new Error('the backend is closed'));
    this.closed = true;
  }

  private ready(): Promise<void> {
    if (this.up) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const go = (): void => {
        patience.cancel();
        this.waiting.delete(go);
        resolve();
      };
      const patience = this.clock.alarm(COMMAND_TIMEOUT_MS, () => {
        this.waiting.delete(go);
        reject(new Error('no connection'));
      });
      this.waiting.add(go);
    });
  }

  private reconnect(afterMs: number): void {
    if (this.closed) return;
    this.clock.alarm(afterMs, () => {
      if (this.closed) return;
      if (!this.way.open) return this.reconnect(RECONNECT_AFTER_MS);
      this.up = true;
      for (const go of [...this.waiting]) go();
      this.opened();
    });
  }
}

/** Behaves towards the backend as `RedisLink` does: nothing is sent twice, and what fails, fails soon. */
export class RedisConnections implements RedisPort {
  readonly cluster = false;
  private readonly commands: Connection;
  private readonly messages: Connection;
  private subscriber: Subscriber | undefined;

  constructor(
    private readonly server: RedisServer,
    private readonly clock: Clock,
    private readonly way: Way,
    private readonly listeners: RedisPortListeners,
  ) {
    this.commands = new Connection(clock, way, listeners.connected, () => undefined);
    this.messages = new Connection(
      clock,
      way,
      () => this.listen(),
      () => this.deafen(),
    );
  }

  async run(script: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.ask(this.commands, () => this.server.runCached(script, keys, args));
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.ask(this.commands, () => this.server.run(script, keys, args));
    }
  }

  async subscribe(channel: string): Promise<void> {
    await this.ask(this.messages, () => {
      if (this.subscriber !== undefined) this.server.subscribe(channel, this.subscriber);
    });
  }

  reconnectMessages(): void {
    this.messages.fail(this.messages.order, new Error('connected anew'));
  }

  async info(): Promise<string> {
    return '';
  }

  async *scan(match: string): AsyncIterable<string> {
    const [before, prefix] = match.replace(/\\(.)/g, '$1').split('{*}');
    for (const key of this.server.keys()) {
      const line = key.replace(/\{\d+\}/, '{*}');
      if (line.startsWith(`${before}{*}${prefix!.slice(0, -1)}`)) yield key;
    }
  }

  close(): void {
    this.commands.close();
    this.messages.close();
  }

  /** Both at once: the server is gone, or the way to it. */
  breaks(): void {
    for (const each of [this.commands, this.messages]) each.fail(each.order, new Error('connection reset'));
  }

  /** What was sent to one master is not done by the next. */
  private ask<T>(connection: Connection, execute: () => T): Promise<T> {
    const { generation } = this.server;
    return connection.ask(async () => {
      if (this.server.generation !== generation) throw new Error('connection reset');
      return execute();
    });
  }

  private listen(): void {
    const subscriber: Subscriber = (channel, message) => {
      this.way.tell(() => {
        if (this.subscriber === subscriber && this.way.open) this.listeners.message(channel, message);
      });
    };
    this.subscriber = subscriber;
    this.listeners.listening();
  }

  private deafen(): void {
    if (this.subscriber !== undefined) this.server.drop(this.subscriber);
    this.subscriber = undefined;
  }
}
