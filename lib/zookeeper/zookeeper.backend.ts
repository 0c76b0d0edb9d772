import { type Claim, type ClaimRequest, type LockBackend, type Place } from '../core/backend.js';
import { systemClock } from '../core/clock.js';
import { rankOf, readLine } from './zookeeper.line.js';
import { ZooKeeperClaim, type Wake } from './zookeeper.claim.js';
import { openDriver } from './zookeeper.driver.js';
import { readClaimData, ZooKeeperKeys } from './zookeeper.keys.js';
import { readOptions, type ZooKeeperBackendOptions } from './zookeeper.options.js';
import { type SessionPorts } from './zookeeper.session.js';
import { ZooKeeperSessions } from './zookeeper.sessions.js';

/** How many nodes are asked about in one flight. */
const MOST_PER_FLIGHT = 500;

/**
 * Locks on ZooKeeper: a line is a container node, a claim in it an ephemeral child, and its place the transaction that made
 * it. A free lock costs one round trip; whoever waits watches whom it waits for, and hears when that one has gone.
 *
 * A claim lives as long as the session it was made in, whatever lease was asked for: the lease it is told is half of the
 * session's timeout. Nothing is taken over from one session to the next.
 */
export class ZooKeeperBackend implements LockBackend {
  readonly name = 'zookeeper';
  private readonly keys: ZooKeeperKeys;
  private readonly sessions: ZooKeeperSessions;
  /** Those that stand in a line, or may. */
  private readonly claims = new Map<string, ZooKeeperClaim>();

  /** Connects with the first claim. `ports` are for tests. @throws LockConfigError for options that cannot be. */
  constructor(options: ZooKeeperBackendOptions, ports: Partial<SessionPorts> = {}) {
    const settings = readOptions(options);
    this.keys = new ZooKeeperKeys(settings.root);
    this.sessions = new ZooKeeperSessions(settings, { clock: systemClock, openDriver, ...ports });
  }

  claim(request: ClaimRequest): Claim {
    const name = JSON.stringify([request.key, request.id]);
    const onOut = (): void => {
      if (this.claims.get(name) === fresh) this.claims.delete(name);
    };
    const fresh = new ZooKeeperClaim(request, this.keys, this.sessions, onOut);
    const current = (): ZooKeeperClaim => this.claims.get(name) ?? fresh;
    let wakeUp: Wake | undefined;
    return {
      attempt: async ({ queue }) => {
        const claim = current();
        this.claims.set(name, claim);
        claim.wakeUp = wakeUp;
        return claim.attempt(queue);
      },
      renew: async () => current().renew(),
      withdraw: async () => current().withdraw(),
      watch: (given) => {
        wakeUp = given;
        return () => {
          wakeUp = undefined;
          const claim = current();
          if (claim.wakeUp === given) claim.wakeUp = undefined;
        };
      },
    };
  }

  async inspect(key: string): Promise<readonly Place[]> {
    const session = await this.sessions.any();
    const parent = this.keys.lineOf(key);
    const [, children] = await session.ask((client) => Promise.all([client.sync(), client.children(parent)]));
    const line = readLine(children?.names ?? []);
    const nodes = await inFlights(line, (part) =>
      session.ask((client) => Promise.all(part.map(({ name }) => client.read(`${parent}/${name}`)))),
    );
    const there = line.map((claim, index) => ({ claim, node: nodes[index] })).filter(({ node }) => node !== undefined);
    const claims = there.map(({ claim }) => claim);
    return there.map(({ claim: { name, id, slots }, node }) => {
      const { stat, data } = node!;
      // Of a session, the server tells nobody how much is left: as much as there is after a sign of life.
      const { leaseMs: leaseLeftMs = session.leaseMs, owner } = readClaimData(data);
      const { held } = rankOf(claims, name)!;
      const facts = { id, slots, held, place: BigInt(stat.czxid), leaseLeftMs, since: stat.ctime.getTime() };
      return owner === undefined ? facts : { ...facts, owner };
    });
  }

  async *list({ prefix = '' }: { readonly prefix?: string } = {}): AsyncIterable<string> {
    const session = await this.sessions.any();
    const { root } = this.keys;
    const [, children] = await session.ask((client) => Promise.all([client.sync(), client.children(root)]));
    const names = (children?.names ?? []).filter((name) => this.keys.keyOf(name)?.startsWith(prefix) === true);
    for (let start = 0; start < names.length; start += MOST_PER_FLIGHT) {
      const part = names.slice(start, start + MOST_PER_FLIGHT);
      const stats = await session.ask((client) => Promise.all(part.map((name) => client.stat(`${root}/${name}`))));
      // A line that nobody stands in any more is there until the server collects it.
      for (const [index, name] of part.entries()) {
        if ((stats[index]?.numChildren ?? 0) > 0) yield this.keys.keyOf(name)!;
      }
    }
  }

  async evict(key: string, id: string): Promise<boolean> {
    const session = await this.sessions.any();
    const parent = this.keys.lineOf(key);
    const [, children] = await session.ask((client) => Promise.all([client.sync(), client.children(parent)]));
    const nodes = readLine(children?.names ?? []).filter((claim) => claim.id === id);
    const removed = await session.ask((client) =>
      Promise.all(nodes.map(({ name }) => client.remove(`${parent}/${name}`))),
    );
    return removed.includes(true);
  }

  close(): Promise<void> {
    return this.sessions.close();
  }
}

async function inFlights<Item, Answer>(
  items: readonly Item[],
  ask: (part: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let start = 0; start < items.length; start += MOST_PER_FLIGHT) {
    answers.push(...(await ask(items.slice(start, start + MOST_PER_FLIGHT))));
  }
  return answers;
}
