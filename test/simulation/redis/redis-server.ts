import { type Script as SentScript, type ScriptName } from '../../../lib/redis/redis.scripts.js';
import { argumentsOf, Keyspace } from './keyspace.js';
import { compileLua, type Script } from './lua.js';
import { Table } from './lua-runtime.js';

/** Somebody at the other end of a connection for messages. */
export type Subscriber = (channel: string, message: string) => void;

export type Scripts = Readonly<Record<ScriptName, Pick<SentScript, 'text'>>>;

const compiled = new Map<string, Script>();

/** A Redis server: what it keeps, its clock, its script cache, and who listens to what. */
export class RedisServer {
  /** How many masters there have been before. */
  generation = 0;
  private readonly keyspace = new Keyspace(() => Math.floor(this.clock()));
  private readonly channels = new Map<string, Set<Subscriber>>();
  private readonly cached = new Set<ScriptName>();
  private replica: ReturnType<Keyspace['copy']>;

  constructor(
    /** Milliseconds of the epoch. */
    private readonly clock: () => number,
    private readonly scripts: Scripts,
    /** Told of a script that does not run to its end: a mistake of it, or something that is not simulated. */
    private readonly broke: (error: unknown) => void = () => undefined,
  ) {
    this.replica = this.keyspace.copy();
  }

  /** EVALSHA. */
  runCached(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): unknown {
    if (!this.cached.has(name)) throw new Error('NOSCRIPT No matching script. Please use EVAL.');
    return this.run(name, keys, args);
  }

  /** EVAL. */
  run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): unknown {
    this.cached.add(name);
    const redis = new Table([
      ['call', (...values: unknown[]) => [this.call(argumentsOf(values))]],
      ['error_reply', (why: unknown) => [new Table([['err', why]])]],
    ]);
    const script = scriptOf(this.scripts[name].text);
    try {
      return replyOf(script({ KEYS: Table.of(keys), ARGV: Table.of(args.map(String)), redis }));
    } catch (error) {
      this.broke(error);
      throw error;
    }
  }

  subscribe(channel: string, subscriber: Subscriber): void {
    if (!this.channels.has(channel)) this.channels.set(channel, new Set());
    this.channels.get(channel)!.add(subscriber);
  }

  /** Its connection is closed. */
  drop(subscriber: Subscriber): void {
    for (const subscribers of this.channels.values()) subscribers.delete(subscriber);
  }

  /** Names of what is kept now. */
  keys(): string[] {
    return this.keyspace.names();
  }

  flushScripts(): void {
    this.cached.clear();
  }

  /** Its replica has all that was written until now. */
  replicate(): void {
    this.replica = this.keyspace.copy();
  }

  /** Its replica is master now, with what it has. Nobody is connected to it yet. */
  failOver(): void {
    this.keyspace.restore(this.replica);
    this.generation += 1;
    this.channels.clear();
    this.cached.clear();
  }

  /** It is killed, and starts again with nothing. What its replica has stays: it may take over before it has noticed. */
  beginAnew(): void {
    this.keyspace.restore(new Keyspace(() => 0).copy());
    this.generation += 1;
    this.channels.clear();
    this.cached.clear();
  }

  private call([name, ...args]: readonly string[]): unknown {
    const command = this.keyspace.commands[name!];
    if (command !== undefined) return command(...args);
    const [channel, message] = args;
    if (name === 'INFO') return `role:master\r\nmaster_replid:${this.generation.toString(16).padStart(40, '0')}\r\n`;
    if (name === 'TIME') return this.time();
    if (name === 'PUBLISH') return this.publish(channel!, message!);
    if (name === 'PUBSUB') return Table.of([message, this.channels.get(message!)?.size ?? 0]);
    throw new Error(`ERR Unknown Redis command called from script: ${name}`);
  }

  private publish(channel: string, message: string): number {
    const subscribers = [...(this.channels.get(channel) ?? [])];
    for (const subscriber of subscribers) subscriber(channel, message);
    return subscribers.length;
  }

  /** Seconds, and microseconds of the second. */
  private time(): Table {
    const micros = Math.floor(this.clock() * 1_000);
    return Table.of([String(Math.floor(micros / 1e6)), String(micros % 1e6)]);
  }
}

function scriptOf(text: string): Script {
  if (!compiled.has(text)) compiled.set(text, compileLua(text));
  return compiled.get(text)!;
}

/** What a client gets of what a script returns: whole numbers, and lists up to the first nil. */
function replyOf(value: unknown): unknown {
  if (typeof value === 'number') return Math.trunc(value);
  if (value instanceof Table && value.has('err')) throw new Error(String(value.get('err')));
  if (value instanceof Table) return value.list().map(replyOf);
  if (value === true) return 1;
  return typeof value === 'string' ? value : null;
}
