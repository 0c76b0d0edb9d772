import { type ClaimRequest, type Standing } from '../core/backend.js';
import { type ZooKeeperClient } from './zookeeper.client.js';
import { NotKnownError } from './zookeeper.errors.js';
import { claimPrefix, readClaimName, type ZooKeeperKeys } from './zookeeper.keys.js';
import { type Line, makingOf, rankOf, readLine, toWatch, without } from './zookeeper.line.js';
import { type Member, type ZooKeeperSession } from './zookeeper.session.js';
import { type ZooKeeperSessions } from './zookeeper.sessions.js';
import { within } from './zookeeper.within.js';

export type Wake = (standing?: Standing) => void;

/** A line that is made and collected again and again while we join it is tried that often. */
const TRIES = 5;

/**
 * A claim's node in its line, over the sessions that it stands there in.
 *
 * States: out → joining → in → out. `joining` lasts until it is known whether the node was made: when the connection was
 * lost meanwhile, the line is searched for it. When the session ends, so does the node, and the claim is out.
 */
export class ZooKeeperClaim implements Member {
  wakeUp: Wake | undefined;
  holding = false;
  private session: ZooKeeperSession | undefined;
  /** Of the node, once it is made. */
  private name: string | undefined;
  private place: bigint | undefined;
  /** As it was last seen, less who is known to have gone since. */
  private line: Line = [];
  private watched: readonly string[] = [];
  /** The making of the node that has not been answered. */
  private making: Promise<void> | undefined;
  /** It is not known whether the node was made. */
  private unsure = false;
  /** A removal was sent, so that a node that is gone was removed by us. */
  private removing = false;
  /** It was removed after its withdrawal had failed. */
  private removedSince = false;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly parent: string;
  private readonly prefix: string;
  private readonly bytes: number;

  constructor(
    private readonly request: ClaimRequest,
    keys: ZooKeeperKeys,
    private readonly sessions: ZooKeeperSessions,
    private readonly onOut: () => void,
  ) {
    this.parent = keys.lineOf(request.key);
    this.prefix = claimPrefix(request.id, request.slots);
    this.bytes = this.parent.length + this.prefix.length + 12;
  }

  attempt(queue: boolean): Promise<Standing> {
    return this.inTurn(async () => {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const session = await this.seat();
        const line = (await this.found(session)) ? await this.look(session) : await this.join(session);
        const standing = line && (await this.standingIn(session, line, queue));
        if (standing !== undefined) return standing;
        this.leaveSeat();
      }
      throw new NotKnownError('the line changes faster than it can be read');
    });
  }

  async renew(): Promise<boolean> {
    const { session, name } = this;
    if (session?.alive !== true || name === undefined) return false;
    const kept = await session.renewals.renew(this.pathOf(name));
    if (!kept && this.name === name) this.leaveSeat();
    return kept;
  }

  withdraw(): Promise<boolean> {
    return this.inTurn(async () => {
      const { session } = this;
      try {
        const left = await this.removed();
        const leftBefore = this.removedSince;
        this.removedSince = false;
        this.onOut();
        return left || leftBefore;
      } catch (error) {
        // Whoever asked may give up; the node must go all the same, or it would stay for as long as the session.
        session?.leaveTo(() => this.tidy());
        throw error;
      }
    });
  }

  departed(path: string): void {
    const { name, place, session } = this;
    if (name === undefined || session === undefined) return;
    this.line = without(this.line, path.slice(this.parent.length + 1));
    const rank = rankOf(this.line, name);
    if (rank?.held && place !== undefined && session.alive) {
      this.holding = true;
      this.wakeUp?.({ held: true, place, leaseMs: session.leaseMs, waiting: rank.waiting });
    } else {
      this.wakeUp?.();
    }
  }

  wake(): void {
    this.wakeUp?.();
  }

  /** What was asked first is done first. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** A session that lives. */
  private async seat(): Promise<ZooKeeperSession> {
    if (this.session?.alive === true) return this.session;
    this.leaveSeat();
    const session = await this.sessions.take(this.bytes);
    this.session = session;
    session.members.add(this);
    return session;
  }

  private leaveSeat(): void {
    const { session } = this;
    this.settle();
    this.name = undefined;
    this.place = undefined;
    this.making = undefined;
    this.unsure = false;
    this.removing = false;
    this.holding = false;
    if (session === undefined) return;
    this.session = undefined;
    session.members.delete(this);
    this.sessions.freed(session, this.bytes);
  }

  /** Whether the node is there, as far as is known; finds it if that is not known. */
  private async found(session: ZooKeeperSession): Promise<boolean> {
    if (this.making !== undefined) await within(session.patienceMs, this.making);
    if (this.unsure) await this.search(session);
    return this.name !== undefined;
  }

  /** The connection was lost before it was answered. What the leader has done before is seen after a sync. */
  private async search(session: ZooKeeperSession): Promise<void> {
    const line = await this.read(session);
    for (const { name } of line.filter(({ id }) => id === this.request.id)) {
      const stat = await session.ask((client) => client.stat(this.pathOf(name)));
      if (stat?.ephemeralOwner !== session.id) continue;
      this.name = name;
      this.place = BigInt(stat.czxid);
    }
    this.unsure = false;
  }

  /** The line after joining; undefined: the node is gone already. */
  private async join(session: ZooKeeperSession): Promise<Line | undefined> {
    let alone = true;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const [before, lineMade, made, after] = await session.flight((client) => {
        // Sent together and done in this order: one round trip, and the reply to the making is had with the line it led to.
        const before = alone ? client.stat(this.parent) : undefined;
        const lineMade = alone ? undefined : this.makeLine(client, session);
        const made = this.make(client, session);
        return Promise.all([before, lineMade, made, client.children(this.parent)]);
      });
      if (lineMade === false) await this.makeRoot(session);
      if (made === undefined) {
        alone = false;
        continue;
      }
      if (after === undefined) return undefined;
      const { sequence } = readClaimName(made)!;
      const { names, stat } = after;
      let czxid = makingOf({ before, names, after: stat, sequence });
      czxid ??= (await session.flight((client) => client.stat(this.pathOf(made))))?.czxid;
      if (czxid === undefined) return undefined;
      this.place = BigInt(czxid);
      return readLine(names);
    }
    throw new NotKnownError(`${this.parent} is collected whenever it is made: raise znode.container.checkIntervalMs`);
  }

  /** The node's name; undefined: there is no line to make it in. */
  private async make(client: ZooKeeperClient, session: ZooKeeperSession): Promise<string | undefined> {
    const making = session.signed(client.createClaim(`${this.parent}/${this.prefix}`, String(session.leaseMs)));
    this.making = making.then(
      (path) => this.made(session, path),
      (error: unknown) => {
        if (this.session !== session) return;
        this.making = undefined;
        this.unsure = error instanceof NotKnownError;
      },
    );
    const path = await making;
    return path?.slice(this.parent.length + 1);
  }

  private made(session: ZooKeeperSession, path: string | undefined): void {
    if (this.session !== session) return;
    this.making = undefined;
    this.name = path?.slice(this.parent.length + 1);
  }

  private async makeLine(client: ZooKeeperClient, session: ZooKeeperSession): Promise<boolean> {
    const made = session.signed(client.createLine(this.parent));
    if (session.settings.auth !== undefined) await Promise.all([made, client.protect(this.parent)]);
    return made;
  }

  private async makeRoot(session: ZooKeeperSession): Promise<void> {
    const { root, auth } = session.settings;
    const names = root.split('/').slice(1);
    await session.ask(async (client) => {
      const made = await Promise.all(
        names.map((_, depth) => client.createPersistent(`/${names.slice(0, depth + 1).join('/')}`)),
      );
      if (auth !== undefined && made.at(-1) === true) await client.protect(root);
    });
  }

  /** The line as it is now; undefined: the claim is no longer in it. */
  private async look(session: ZooKeeperSession): Promise<Line | undefined> {
    const line = await this.read(session);
    return line.some(({ name }) => name === this.name) ? line : undefined;
  }

  private read(session: ZooKeeperSession): Promise<Line> {
    return session.flight(async (client) => {
      const [, children] = await Promise.all([session.signed(client.sync()), client.children(this.parent)]);
      return readLine(children?.names ?? []);
    });
  }

  private async standingIn(session: ZooKeeperSession, seen: Line, queue: boolean): Promise<Standing | undefined> {
    const { name, place } = this;
    if (name === undefined || place === undefined) return undefined;
    const line = this.withoutGhosts(session, seen, name);
    const rank = rankOf(line, name);
    if (rank === undefined) return undefined;
    this.settle();
    const { leaseMs } = session;
    this.holding = rank.held;
    if (rank.held) return { held: true, place, leaseMs, waiting: rank.waiting };
    if (!queue) {
      await this.removed();
      this.onOut();
      return { held: false, ahead: rank.rank, askAgainMs: leaseMs };
    }
    this.line = line;
    this.watched = toWatch(line, rank.rank);
    for (const each of this.watched) session.watches.watch(this.pathOf(each), this);
    // A wake that comes in time lets it in without a question, if that lease has not ended since.
    return { held: false, ahead: rank.rank, place, askAgainMs: leaseMs / 2 };
  }

  /** Nodes of this claim that it had in a session that has ended: dead, and never taken for its own. */
  private withoutGhosts(session: ZooKeeperSession, line: Line, own: string): Line {
    const isGhost = ({ id, name }: Line[number]): boolean => id === this.request.id && name !== own;
    for (const { name } of line.filter(isGhost)) {
      const bury = async (): Promise<void> => void (await session.ask((client) => client.remove(this.pathOf(name))));
      bury().catch(() => session.leaveTo(bury));
    }
    return line.filter((claim) => !isGhost(claim));
  }

  /** Takes the node away, wherever it is. false: it was gone. */
  private async removed(): Promise<boolean> {
    const { session } = this;
    if (session?.alive === true && (await this.found(session))) {
      const path = this.pathOf(this.name!);
      const removedBefore = this.removing;
      this.removing = true;
      try {
        const removed = await session.ask((client) => session.signed(client.remove(path)));
        this.leaveSeat();
        return removed || removedBefore;
      } catch (error) {
        if (session.alive) throw error;
      }
    }
    this.leaveSeat();
    return false;
  }

  private async tidy(): Promise<void> {
    await this.inTurn(async () => {
      if (await this.removed()) this.removedSince = true;
    });
  }

  private settle(): void {
    for (const name of this.watched) this.session?.watches.unwatch(this.pathOf(name), this);
    this.watched = [];
    this.line = [];
  }

  private pathOf(name: string): string {
    return `${this.parent}/${name}`;
  }
}
