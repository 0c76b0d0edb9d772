import { type Claim, type ClaimRequest, type LockBackend, type Place } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { LockConfigError } from '../core/errors.js';
import { type Random, systemRandom } from '../core/random.js';
import { type ClaimPost, RedisClaim } from './redis.claim.js';
import { RedisKeys } from './redis.keys.js';
import { RedisLink } from './redis.link.js';
import { RedisOutbox } from './redis.outbox.js';
import { checkConnection, type RedisBackendOptions } from './redis.options.js';
import { type RedisPort, type RedisPortListeners } from './redis.port.js';
import { serverWarnings } from './redis.server-warnings.js';

/** 72 bits. */
const NODE_CHARACTERS = 12;

/**
 * Locks on Redis: a server, a master found by Sentinel, or a Cluster. Each verb is one call of a script, and
 * calls of one turn go out as one command; time is the server's. Whoever leaves tells the process of whoever comes in, on the channel of that process, all it needs to
 * know. Such a message is a hint about what already stands: one that is lost is made up for by asking again, once in a
 * lease and after every reconnect.
 *
 * What it cannot promise: Redis replicates asynchronously, so a failover may forget a lock that was granted just before.
 * Its owner learns that with its next renewal, and fencing tokens rise all the same.
 */
export class RedisBackend implements LockBackend {
  readonly name = 'redis';
  private readonly link: RedisPort;
  private readonly keys: RedisKeys;
  /** Of this process, in its claims and its channel. */
  private readonly node: string;
  private readonly post: ClaimPost;
  private readonly listeners = new Map<string, RedisClaim>();
  private readonly subscriptions = new Map<number, Promise<void>>();
  /** Buckets whose subscription stands. */
  private readonly listening = new Set<number>();
  private readonly warn: (warning: string) => void;
  private warned = new Set<string>();

  /** Connects with the first claim. `ports` are for tests and simulations. @throws LockConfigError for options that cannot be. */
  constructor(
    options: RedisBackendOptions,
    ports: {
      readonly clock?: Clock;
      readonly random?: Random;
      readonly link?: (listeners: RedisPortListeners) => RedisPort;
    } = {},
  ) {
    checkConnection(options);
    const { prefix = 'lock', commandTimeoutMs = 1_000, onWarning = warnProcess } = options;
    if (typeof prefix !== 'string' || /[{}]/.test(prefix)) {
      throw new LockConfigError('prefix must be a string without braces: they choose the hash slot');
    }
    if (!(commandTimeoutMs >= 10 && commandTimeoutMs <= 60_000)) {
      throw new LockConfigError('commandTimeoutMs must be a number of milliseconds from 10 to 60000');
    }
    this.warn = onWarning;
    this.node = (ports.random ?? systemRandom).id().slice(0, NODE_CHARACTERS);
    const heard: RedisPortListeners = {
      message: (_channel, message) => this.told(message),
      listening: () => void this.listenAgain(),
      connected: () => void this.examine(),
    };
    this.link = ports.link?.(heard) ?? new RedisLink(options, commandTimeoutMs, heard);
    this.keys = new RedisKeys(`${keyPrefixOf(options)}${prefix}`, this.link.cluster);
    const outbox = new RedisOutbox(this.link, ports.clock ?? systemClock, commandTimeoutMs);
    this.post = {
      listeners: this.listeners,
      ask: (key, verb, claim, mark) => outbox.ask(key, verb, claim, mark),
      evicted: async (mark, { forget }) => (await this.link.run('evicted', [mark], [forget ? 1 : 0])) === 1,
      listening: (bucket) => (this.listening.has(bucket) ? undefined : this.listen(bucket)),
      hearsNothing: () => this.link.reconnectMessages(),
    };
  }

  get warnings(): readonly string[] {
    return [...this.warned];
  }

  claim(request: ClaimRequest): Claim {
    return new RedisClaim(this.post, request, this.keys.of(request.key), this.node);
  }

  async inspect(key: string): Promise<readonly Place[]> {
    const reply = await this.link.run('inspect', [this.keys.of(key).line], []);
    const [holders, ...entries] = reply as [number, ...(string | number)[]];
    const places: Place[] = [];
    for (let index = 0; index < entries.length; index += 3) {
      const [claim, place, leaseLeftMs] = entries.slice(index, index + 3) as [string, string, number];
      const [, slots, id, owner] = /^(\d+):\d+:[^:]*:(\S*)(?: (.*))?$/s.exec(claim) ?? [];
      places.push({
        id: id ?? claim,
        slots: Number(slots) || Infinity,
        held: index / 3 < holders,
        place: BigInt(place),
        since: Math.floor(Number(place) / 1_000),
        leaseLeftMs,
        ...(owner !== undefined && { owner }),
      });
    }
    return places;
  }

  async *list({ prefix = '' }: { readonly prefix?: string } = {}): AsyncIterable<string> {
    const match = this.keys.pattern('*', prefix);
    for await (const line of this.link.scan(match)) yield this.keys.keyOf(line);
  }

  async evict(key: string, id: string): Promise<boolean> {
    const { line, marks } = this.keys.of(key);
    return (await this.link.run('evict', [line, marks + id], [id])) === 1;
  }

  async close(): Promise<void> {
    this.link.close();
  }

  private told(message: string): void {
    // Whoever may publish there may say anything.
    const parts = /^(\S+)(?: (\d{1,16}) (\d{1,10}) (\d{1,10}) (\w*))?$/.exec(message) ?? [];
    const [, id, place, leaseMs, waiting, reign] = parts;
    if (id === undefined) return;
    // An id alone: it was evicted, and shall ask.
    if (place === undefined) {
      this.listeners.get(id)?.told();
      return;
    }
    const held = { held: true, place: BigInt(place!), leaseMs: Number(leaseMs), waiting: Number(waiting) } as const;
    this.listeners.get(id)?.told(held, reign);
  }

  /** Nobody may queue who could not be told: it would be taken for dead. */
  private listen(bucket: number): Promise<void> {
    let subscription = this.subscriptions.get(bucket);
    if (subscription === undefined) {
      subscription = this.link.subscribe(`${this.keys.channels(bucket)}${this.node}`);
      this.subscriptions.set(bucket, subscription);
      subscription.then(
        () => this.subscriptions.get(bucket) === subscription && this.listening.add(bucket),
        () => this.subscriptions.get(bucket) === subscription && this.subscriptions.delete(bucket),
      );
    }
    return subscription;
  }

  /** Whatever was said meanwhile was not heard: everybody asks again. */
  private async listenAgain(): Promise<void> {
    const buckets = [...this.subscriptions.keys()];
    this.subscriptions.clear();
    this.listening.clear();
    await Promise.allSettled(buckets.map((bucket) => this.listen(bucket)));
    for (const claim of [...this.listeners.values()]) claim.told();
  }

  private async examine(): Promise<void> {
    const info = await this.link.info().catch(() => '');
    for (const warning of serverWarnings(info, this.link.cluster)) {
      if (this.warned.has(warning)) continue;
      this.warned.add(warning);
      try {
        this.warn(warning);
      } catch (error) {
        process.emitWarning(error as Error);
      }
    }
  }
}

function keyPrefixOf(options: RedisBackendOptions): string {
  if ('client' in options) return options.client.options.keyPrefix ?? '';
  return 'options' in options ? (options.options.keyPrefix ?? '') : '';
}

function warnProcess(warning: string): void {
  process.emitWarning(warning, 'RedisLockWarning');
}
