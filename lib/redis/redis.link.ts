import { type Cluster, type ClusterOptions, Redis } from 'ioredis';
import { LockConfigError } from '../core/errors.js';
import { classified } from './redis.errors.js';
import { type RedisConnection } from './redis.options.js';
import { type RedisPort, type RedisPortListeners } from './redis.port.js';
import { loadScripts, type ScriptName } from './redis.scripts.js';

type Client = Redis | Cluster;
/** ioredis takes a list for the arguments, too, which its types do not know; with 400 of them that is much faster. */
type Evaluating = Record<'eval' | 'evalsha', (args: readonly (string | number)[]) => Promise<unknown>>;

/**
 * The connections of one backend: one for commands and one for messages, so that neither waits for the other.
 *
 * What locks need of a client, and its defaults do not give:
 * - Nothing is sent again by itself. A command that is re-sent after a reconnect, or that waited in a queue while the
 *   server was away, is executed when whoever wanted it has long given up. Here what was in flight fails at once.
 * - A connection that is silent for `commandTimeoutMs` while an answer is due is cut. A half-open one would otherwise
 *   stay `ready` for as long as the kernel re-sends: minutes.
 * - Commands that are issued together are not held back for each other.
 */
export class RedisLink implements RedisPort {
  readonly cluster: boolean;
  private readonly commands: Client;
  private readonly messages: Client;
  private readonly scripts: ReturnType<typeof loadScripts>;
  private lastError: Error | undefined;
  private readonly gates = new Map<Client, Promise<void>>();
  private readonly closed = new AbortController();

  constructor(
    connection: RedisConnection,
    private readonly commandTimeoutMs: number,
    listeners: RedisPortListeners,
  ) {
    const own = reliable(commandTimeoutMs);
    this.commands = open(connection, own);
    this.messages = open(connection, own);
    this.cluster = isCluster(this.commands);
    for (const client of [this.commands, this.messages]) {
      client.on('error', (error: Error) => (this.lastError = classified(error, this.cluster)));
      client.on('ready', () => (this.lastError = undefined));
    }
    this.scripts = loadScripts({ cluster: this.cluster });
    this.commands.on('ready', listeners.connected);
    this.messages.on('ready', listeners.listening);
    this.messages.on(this.cluster ? 'smessage' : 'message', listeners.message);
  }

  /** Runs a script. Rejects with what `classified` makes of a failure. */
  run(script: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (this.commands.status === 'ready') return this.evaluate(script, keys, args);
    return Promise.resolve(this.ready(this.commands)).then(() => this.evaluate(script, keys, args));
  }

  /** By hand: what ioredis defines as a command sends the same, for 3 µs more. */
  private evaluate(script: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { text, digest } = this.scripts[script];
    const client = this.commands as unknown as Evaluating;
    return this.inTime(client.evalsha([digest, keys.length, ...keys, ...args])).catch((error: Error) => {
      if (!error.message.includes('NOSCRIPT')) throw classified(error, this.cluster);
      return this.answer(client.eval([text, keys.length, ...keys, ...args]));
    });
  }

  async info(): Promise<string> {
    await this.ready(this.commands);
    return this.answer(this.commands.info());
  }

  async subscribe(channel: string): Promise<void> {
    await this.ready(this.messages);
    await this.answer(this.cluster ? this.messages.ssubscribe(channel) : this.messages.subscribe(channel));
  }

  reconnectMessages(): void {
    if (this.messages.status === 'ready') this.messages.disconnect(true);
  }

  async *scan(match: string): AsyncIterable<string> {
    for (const master of await this.masters()) {
      for await (const keys of master.scanStream({ match, count: 1_000 })) yield* keys as string[];
    }
  }

  close(): void {
    this.closed.abort(new Error('the backend is closed'));
    for (const client of [this.commands, this.messages]) {
      // One that was being made may still come up, and bring with it what looks out for failovers.
      client.once('connect', () => client.disconnect());
      client.disconnect();
    }
  }

  /** The nodes that hold keys of their own. */
  private async masters(): Promise<Redis[]> {
    await this.ready(this.commands);
    return isCluster(this.commands) ? this.commands.nodes('master') : [this.commands as Redis];
  }

  /** Waits for a connection, but not for long: a command must not linger where it may be forgotten and still be sent. */
  private ready(client: Client): Promise<void> | undefined {
    if (client.status === 'ready') return undefined;
    let gate = this.gates.get(client);
    if (gate === undefined) {
      gate = this.connected(client).finally(() => this.gates.delete(client));
      this.gates.set(client, gate);
    }
    return gate;
  }

  private connected(client: Client): Promise<void> {
    const { signal } = this.closed;
    // It ends by itself where the user's options say so. Here a connection is wanted again.
    if (!signal.aborted && ['wait', 'end'].includes(client.status)) client.connect().catch(() => undefined);
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        client.off('ready', opened).off('error', failed);
        signal.removeEventListener('abort', closed);
        if (error === undefined) resolve();
        else reject(error);
      };
      const opened = (): void => settle();
      const closed = (): void => settle(signal.reason as Error);
      // Of any other error, what comes next may be better.
      const failed = (): void => {
        if (this.lastError instanceof LockConfigError) settle(this.lastError);
      };
      const timer = setTimeout(() => {
        settle(this.lastError ?? new Error(`no connection to the server within ${this.commandTimeoutMs} ms`));
      }, this.commandTimeoutMs);
      client.on('ready', opened).on('error', failed);
      signal.addEventListener('abort', closed);
      if (signal.aborted) closed();
    });
  }

  /** A Cluster keeps what it sends elsewhere for as long as it likes. */
  private inTime<T>(reply: Promise<T>): Promise<T> {
    return this.cluster ? within(this.commandTimeoutMs * 2, reply) : reply;
  }

  private async answer<T>(reply: Promise<T>): Promise<T> {
    try {
      return await this.inTime(reply);
    } catch (error) {
      throw classified(error, this.cluster);
    }
  }
}

function reliable(commandTimeoutMs: number) {
  return {
    lazyConnect: true,
    keyPrefix: '',
    enableAutoPipelining: false,
    enableOfflineQueue: false,
    autoResubscribe: false,
    // With 0, unlike with any larger number, whatever is in flight when a connection closes is rejected then.
    maxRetriesPerRequest: 0,
    connectTimeout: commandTimeoutMs,
    socketTimeout: commandTimeoutMs,
    // How long ioredis keeps a connection that it has given up, and the process with it; also one that is long gone.
    disconnectTimeout: 10,
    // How long it may sleep while a server loads, whatever is done or closed meanwhile. It would trust the estimate of the server.
    maxLoadingRetryTime: 250,
    retryStrategy: (times: number) => Math.min(1_000, 25 * 2 ** times),
    // A master that was demoted refuses writes: look for the new one.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
    failoverDetector: true,
    readOnly: false,
    stringNumbers: false,
    monitor: false,
    // ioredis 6: replies as ioredis 5 gives them.
    replyMapping: 'legacy' as const,
  };
}

function open(connection: RedisConnection, own: ReturnType<typeof reliable>): Client {
  // Through its options, for ioredis has those of a URL's query win.
  if ('url' in connection) return open({ options: new Redis(connection.url, { lazyConnect: true }).options }, own);
  if ('options' in connection) return new Redis({ ...connection.options, ...own }) as Client;
  const { client } = connection;
  if (!isCluster(client)) return client.duplicate(own) as Client;
  // Cluster connects to its nodes when they are first needed, so its nodes must queue; `notAfter` guards against ghosts.
  const { enableOfflineQueue: _, lazyConnect, ...redisOptions } = own;
  const options: ClusterOptions = {
    lazyConnect,
    keyPrefix: '',
    enableAutoPipelining: false,
    enableOfflineQueue: true,
    scaleReads: 'master',
    shardedSubscribers: true,
    redisOptions: { ...client.options.redisOptions, ...redisOptions } as NonNullable<ClusterOptions['redisOptions']>,
  };
  return client.duplicate([], options as never) as Client;
}

export function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
