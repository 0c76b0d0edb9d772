import { type Claim, type ClaimRequest, type LockBackend, type Place, type Standing } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { LockConfigError, LockLostError } from '../core/errors.js';
import { type Random, systemRandom } from '../core/random.js';
import { type ClaimKeys, RedisKeys } from './redis.keys.js';
import { RedisLink } from './redis.link.js';
import { checkConnection, type RedisBackendOptions } from './redis.options.js';
import { type RedisPort, type RedisPortListeners } from './redis.port.js';
import { RedisRenewals } from './redis.renewals.js';
import { ServerClock } from './redis.server-clock.js';
import { serverWarnings } from './redis.server-warnings.js';

type Wake = (standing?: Standing) => void;

/** What an attempt is made of besides its request. */
interface Asking {
  readonly keys: ClaimKeys;
  readonly claim: string;
  readonly queue: boolean;
  /** The mark that it was evicted. Only where it has asked before, it may have been. */
  readonly evicted: string;
  readonly asked: boolean;
}

/** A waiting claim asks once in a lease, and stays in line for half a lease longer than that. */
const ASK_AGAIN_PER_LEASE = 1.1;
const WAITING_LEASE_PER_LEASE = 1.6;
/** 72 bits. */
const NODE_CHARACTERS = 12;

/**
 * Locks on Redis: a server, a master found by Sentinel, or a Cluster. Each verb is one script and one command; time is
 * the server's. Whoever leaves tells the process of whoever comes in, on the channel of that process, all it needs to
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
  private readonly clock: Clock;
  /** Of this process, in its claims and its channel. */
  private readonly node: string;
  private readonly renewals: RedisRenewals;
  private readonly clocks = new Map<number, ServerClock>();
  private readonly wakes = new Map<string, Wake>();
  private readonly subscriptions = new Map<number, Promise<void>>();
  private readonly commandTimeoutMs: number;
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
    this.commandTimeoutMs = commandTimeoutMs;
    this.warn = onWarning;
    this.clock = ports.clock ?? systemClock;
    this.node = (ports.random ?? systemRandom).id().slice(0, NODE_CHARACTERS);
    const listeners: RedisPortListeners = {
      message: (_channel, message) => this.told(message),
      listening: () => void this.listenAgain(),
      connected: () => void this.examine(),
    };
    this.link = ports.link?.(listeners) ?? new RedisLink(options, commandTimeoutMs, listeners);
    this.keys = new RedisKeys(`${keyPrefixOf(options)}${prefix}`, this.link.cluster);
    this.renewals = new RedisRenewals((keys, args) => this.link.run('renew', keys, args));
  }

  get warnings(): readonly string[] {
    return [...this.warned];
  }

  claim(request: ClaimRequest): Claim {
    const { key, id, slots, leaseMs, owner = '' } = request;
    const keys = this.keys.of(key);
    const evicted = this.keys.evicted(keys, id);
    const claim = `${slots === Infinity ? 0 : slots}:${Math.ceil(leaseMs)}:${this.node}:${owner}`;
    let asked = false;
    // What was asked first is sent first, also while it waits to be able to hear the answer.
    let sent: Promise<void> | undefined;
    return {
      attempt: async ({ queue }) => {
        const listening = this.listen(keys.bucket);
        if (queue) await (sent = listening);
        else await sent?.catch(() => undefined);
        // Whoever does not wait has no need to listen yet, but would hear late that it was evicted.
        if (!queue) listening.catch(() => undefined);
        const asking = { keys, claim, queue, evicted, asked };
        asked = true;
        return this.attempt(request, asking);
      },
      renew: async () => {
        if (await this.renewals.renew(keys, id, Math.ceil(leaseMs))) return true;
        if ((await this.link.run('evicted', [evicted], [])) === 1) throw new LockLostError(key, 'forced');
        return false;
      },
      withdraw: async () => {
        await sent?.catch(() => undefined);
        return (await this.link.run('withdraw', [...keys.line, evicted], [id, ...this.telling(keys)])) === 1;
      },
      watch: (wake) => {
        this.wakes.set(id, wake);
        return () => void this.wakes.delete(id);
      },
    };
  }

  async inspect(key: string): Promise<readonly Place[]> {
    const reply = await this.link.run('inspect', this.keys.of(key).line, []);
    const [holders, ...entries] = reply as [number, ...(string | number)[]];
    const places: Place[] = [];
    for (let index = 0; index < entries.length; index += 4) {
      const [id, place, leaseLeftMs, claim] = entries.slice(index, index + 4) as [string, string, number, string];
      const [, slots, owner] = /^(\d*)(?::\d+:[^:]*:([^]+))?/.exec(claim)!;
      places.push({
        id,
        slots: Number(slots) || Infinity,
        held: index / 4 < holders,
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
    for await (const line of this.link.scan(match)) {
      const key = this.keys.keyOf(line);
      // What looks like a line may be another key's leases.
      if (this.keys.of(key).line[0] === line) yield key;
    }
  }

  async evict(key: string, id: string): Promise<boolean> {
    const keys = this.keys.of(key);
    const args = [id, ...this.telling(keys)];
    return (await this.link.run('evict', [...keys.line, this.keys.evicted(keys, id)], args)) === 1;
  }

  async close(): Promise<void> {
    this.link.close();
  }

  private async attempt(
    { key, id, leaseMs }: ClaimRequest,
    { keys, claim, queue, evicted, asked }: Asking,
  ): Promise<Standing> {
    const waitingMs = Math.ceil(leaseMs * WAITING_LEASE_PER_LEASE);
    const clock = this.clockOf(keys.bucket);
    const ask = async (): Promise<[string, ...(string | number)[]]> => {
      const sentAt = this.clock.now();
      const args = [id, Math.ceil(leaseMs), waitingMs, queue ? 1 : 0, clock.notAfter(this.commandTimeoutMs)];
      const more = [claim, ...this.telling(keys), asked ? 1 : 0];
      const reply = await this.link.run('attempt', [...keys.line, keys.last, evicted], [...args, ...more]);
      const [stamp, ...answer] = reply as [string, string, ...(string | number)[]];
      clock.learn(Number(stamp), sentAt);
      return answer;
    };
    let [outcome, ...facts] = await ask();
    // Either it was late, or the server's clock was set forward, which is known by now.
    if (outcome === 'late') [outcome, ...facts] = await ask();
    if (outcome === 'in') return { held: true, place: BigInt(facts[0]!), leaseMs, waiting: Number(facts[1]) };
    if (outcome === 'evicted') throw new LockLostError(key, 'forced');
    if (outcome === 'late') throw new Error('the server got it too late');
    if (outcome === 'deaf') {
      this.link.reconnectMessages();
      throw new Error('its messages do not arrive');
    }
    if (outcome === 'refused') return { held: false, ahead: Number(facts[0]), askAgainMs: leaseMs };
    const [ahead, frontLeft, frontLease] = facts.slice(1).map(Number) as [number, number, number];
    const place = BigInt(facts[0]!);
    return { held: false, ahead, place, askAgainMs: askAgainMs(leaseMs, frontLeft, frontLease) };
  }

  /** How a script reaches the process of whoever comes in. In a Cluster, a count of receivers says nothing certain. */
  private telling({ bucket }: ClaimKeys): [string, string, number] {
    const { cluster } = this.link;
    return [this.keys.channels(bucket), cluster ? 'SPUBLISH' : 'PUBLISH', cluster ? 0 : 1];
  }

  private told(message: string): void {
    // Whoever may publish there may say anything.
    const [, id, place, leaseMs, waiting] = /^(\S+)(?: (\d{1,16}) (\d{1,10}) (\d{1,10}))?$/.exec(message) ?? [];
    if (id === undefined) return;
    // An id alone: it was evicted, and shall ask.
    if (place === undefined) return this.wakes.get(id)?.();
    const held = { held: true, place: BigInt(place!), leaseMs: Number(leaseMs), waiting: Number(waiting) } as const;
    this.wakes.get(id)?.(held);
  }

  /** In a Cluster, each node has a clock of its own. */
  private clockOf(bucket: number): ServerClock {
    let clock = this.clocks.get(bucket);
    if (clock === undefined) this.clocks.set(bucket, (clock = new ServerClock(this.clock)));
    return clock;
  }

  /** Nobody may queue who could not be told: it would be taken for dead. */
  private listen(bucket: number): Promise<void> {
    let subscription = this.subscriptions.get(bucket);
    if (subscription === undefined) {
      subscription = this.link.subscribe(`${this.keys.channels(bucket)}${this.node}`);
      this.subscriptions.set(bucket, subscription);
      subscription.catch(() => this.subscriptions.delete(bucket));
    }
    return subscription;
  }

  /** Whatever was said meanwhile was not heard: everybody asks again. */
  private async listenAgain(): Promise<void> {
    const buckets = [...this.subscriptions.keys()];
    this.subscriptions.clear();
    await Promise.allSettled(buckets.map((bucket) => this.listen(bucket)));
    for (const wake of [...this.wakes.values()]) wake();
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

/**
 * A holder that lives renews at a third of its lease, so has more than 0.6 of it left whenever one looks. One that has less
 * may be dead: ask when it would be out of line. Otherwise once in a lease is enough, and costs at most 0.43 of one if the
 * holder dies just now.
 */
function askAgainMs(leaseMs: number, frontLeftMs: number, frontLeaseMs: number): number {
  const oncePerLease = ASK_AGAIN_PER_LEASE * Math.min(leaseMs, frontLeaseMs);
  return frontLeftMs < 0.6 * frontLeaseMs ? Math.min(Math.max(0, frontLeftMs) + 10, oncePerLease) : oncePerLease;
}

function keyPrefixOf(options: RedisBackendOptions): string {
  if ('client' in options) return options.client.options.keyPrefix ?? '';
  return 'options' in options ? (options.options.keyPrefix ?? '') : '';
}

function warnProcess(warning: string): void {
  process.emitWarning(warning, 'RedisLockWarning');
}
