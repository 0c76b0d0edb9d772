import { type ClaimRequest, type Standing } from '../core/backend.js';
import { LockLostError } from '../core/errors.js';
import { NotKnownError } from './zookeeper.errors.js';
import { claimPrefix, type ZooKeeperKeys } from './zookeeper.keys.js';
import { type Line, rankOf, readLine, toWatch, without } from './zookeeper.line.js';
import { type NodeTerms, type Stay, ZooKeeperNode } from './zookeeper.node.js';
import { type Member, type ZooKeeperSession } from './zookeeper.session.js';
import { type ZooKeeperSessions } from './zookeeper.sessions.js';

export type Wake = (standing?: Standing) => void;

/** A line that the claim is lost from again and again while it joins is tried that often. */
const TRIES = 5;
/** Who waits for somebody that there is no room to watch asks so often. */
const UNWATCHED_MS = 250;

/** A claim's place in its line, over the nodes that it has there: one at a time, and another when its session has ended. */
export class ZooKeeperClaim implements Member {
  wakeUp: Wake | undefined;
  holding = false;
  private node: ZooKeeperNode | undefined;
  /** As it was last seen, less who is known to have gone since. */
  private line: Line = [];
  private watched: readonly string[] = [];
  /** Somebody else took its node away. It comes back into no line until it is withdrawn. */
  private evicted = false;
  /** It was removed after its withdrawal had failed. */
  private removedSince = false;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly key: string;
  private readonly terms: NodeTerms;
  private readonly bytes: number;
  private readonly yields: boolean;

  constructor(
    request: ClaimRequest,
    keys: ZooKeeperKeys,
    private readonly sessions: ZooKeeperSessions,
    private readonly onOut: () => void,
  ) {
    this.key = request.key;
    const parent = keys.lineOf(request.key);
    const prefix = claimPrefix(request.id, request.slots);
    this.terms = { id: request.id, parent, prefix, owner: request.owner };
    this.yields = request.yields === true;
    this.bytes = parent.length + prefix.length + 12;
  }

  attempt(queue: boolean): Promise<Standing> {
    return this.inTurn(async () => {
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (this.evicted) throw this.forced();
        const node = await this.seat();
        const wasThere = await node.found();
        const stay = await node.stay();
        if (stay === undefined && wasThere && this.node === node && node.wanted) this.evicted = true;
        const standing = stay && (await this.standingOf(node, stay, queue));
        if (standing !== undefined) return standing;
        this.leaveSeat();
      }
      throw new NotKnownError('the line changes faster than it can be read');
    });
  }

  async renew(): Promise<boolean> {
    if (this.evicted) throw this.forced();
    const { node } = this;
    const name = node?.session.alive === true ? node.name : undefined;
    if (node === undefined || name === undefined) {
      this.leave();
      return false;
    }
    const { session } = node;
    const kept = await session.renewals.renew(node.pathOf(name));
    if (this.node !== node) return kept;
    if (kept) {
      // From the first renewal on it hears at once when it is evicted. Shorter holds are not worth one more request.
      session.watches.watch(node.pathOf(name), this);
      return true;
    }
    if (session.alive && node.wanted) {
      this.evicted = true;
      this.leaveSeat();
      throw this.forced();
    }
    this.leave();
    return false;
  }

  withdraw(): Promise<boolean> {
    return this.inTurn(async () => {
      const session = this.node?.session;
      try {
        const left = await this.removed();
        const leftBefore = this.removedSince;
        this.removedSince = false;
        return left || leftBefore;
      } catch (error) {
        // Whoever asked may give up; the node must go all the same, or it would stay for as long as the session.
        session?.leaveTo(this.tidy);
        throw error;
      }
    });
  }

  departed(path: string): void {
    const { node } = this;
    if (node?.name === undefined) return;
    const { name, place, session } = node;
    if (path === node.pathOf(name)) return this.wake();
    this.line = without(this.line, path.slice(this.terms.parent.length + 1));
    const rank = rankOf(this.line, name);
    if (rank?.held && place !== undefined && session.alive) {
      this.holding = true;
      this.listenBehind(node);
      this.wakeUp?.({ held: true, place, leaseMs: session.leaseMs, waiting: rank.waiting });
    } else {
      this.wakeUp?.();
    }
  }

  wake(): void {
    this.wakeUp?.();
  }

  private forced(): LockLostError {
    return new LockLostError(this.key, 'forced');
  }

  /** What was asked first is done first. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** The node, made or not, in a session that lives. */
  private async seat(): Promise<ZooKeeperNode> {
    if (this.node?.session.alive === true) return this.node;
    this.leaveSeat();
    const session = await this.sessions.take(this.bytes);
    session.members.add(this);
    this.node = new ZooKeeperNode(session, this.terms);
    return this.node;
  }

  private leaveSeat(): void {
    const { node } = this;
    this.settle();
    this.holding = false;
    if (node === undefined) return;
    this.node = undefined;
    node.session.watches.unwatch(this.terms.parent, this);
    if (node.name !== undefined) node.session.watches.unwatch(node.pathOf(node.name), this);
    node.session.members.delete(this);
    this.sessions.freed(node.session, this.bytes);
  }

  private async standingOf(node: ZooKeeperNode, stay: Stay, queue: boolean): Promise<Standing | undefined> {
    // A renewal may have found out meanwhile that it is gone.
    if (this.node !== node) return undefined;
    const { session } = node;
    const { name, place } = stay;
    const line = this.withoutGhosts(session, stay.line, name);
    const rank = rankOf(line, name)!;
    this.settle();
    const { leaseMs } = session;
    this.holding = rank.held;
    if (rank.held) {
      this.listenBehind(node);
      return { held: true, place, leaseMs, waiting: rank.waiting };
    }
    if (!queue) {
      await this.removed();
      return { held: false, ahead: rank.rank, askAgainMs: leaseMs };
    }
    this.line = line;
    this.watched = toWatch(line, rank.rank);
    const watching = this.watched.map((each) => session.watches.watch(node.pathOf(each), this));
    // A wake that comes in time lets it in without a question, if that lease has not ended since.
    const askAgainMs = watching.includes(false) ? UNWATCHED_MS : leaseMs / 2;
    return { held: false, ahead: rank.rank, place, askAgainMs };
  }

  /** A holder that yields hears of whoever joins behind it: also of one that did when this was on its way. */
  private listenBehind(node: ZooKeeperNode): void {
    if (!this.yields) return;
    const { name, place, session } = node;
    session.watches.watchLine(this.terms.parent, this, (names) => {
      const rank = rankOf(readLine(names), name!);
      if (this.node !== node || rank === undefined || rank.waiting === 0) return;
      this.wakeUp?.({ held: true, place: place!, leaseMs: session.leaseMs, waiting: rank.waiting });
    });
  }

  /** Nodes of this claim that it had in a session that has ended: dead, and never taken for its own. */
  private withoutGhosts(session: ZooKeeperSession, line: Line, own: string): Line {
    const isGhost = ({ id, name }: Line[number]): boolean => id === this.terms.id && name !== own;
    for (const { name } of line.filter(isGhost)) {
      const path = `${this.terms.parent}/${name}`;
      const bury = async (): Promise<void> => void (await session.ask((client) => client.remove(path)));
      bury().catch(() => session.leaveTo(bury));
    }
    return line.filter((claim) => !isGhost(claim));
  }

  /** Takes the node away, wherever it is. false: it was gone. */
  private async removed(): Promise<boolean> {
    const { node } = this;
    // Nobody takes it from its owner where the backend is closed while this is under way.
    let removed = node?.name !== undefined && node.session.givenUp;
    if (node?.session.alive === true && (await node.found())) {
      try {
        removed = await node.remove();
      } catch (error) {
        if (node.session.alive) throw error;
        removed = node.session.givenUp;
      }
    }
    this.leave();
    return removed;
  }

  private readonly tidy = async (): Promise<void> => {
    await this.inTurn(async () => {
      if (await this.removed()) this.removedSince = true;
    });
  };

  /** For good, unless it attempts again. */
  private leave(): void {
    this.leaveSeat();
    this.evicted = false;
    this.onOut();
  }

  private settle(): void {
    const { node } = this;
    for (const name of this.watched) node?.session.watches.unwatch(node.pathOf(name), this);
    this.watched = [];
    this.line = [];
  }
}
