import { type Stat } from '../../../lib/zookeeper/zookeeper.driver.js';
import { type Ensemble } from './ensemble.js';
import { parentOf, type Transaction, Tree } from './tree.js';

export const OK = 0;
export const NO_NODE = -101;
export const NODE_EXISTS = -110;
export const EXPIRED = -112;
export const MOVED = -118;

/** What a client says on a connection. */
export type Request =
  | { readonly kind: 'ping' }
  | { readonly kind: 'exists'; readonly path: string }
  | { readonly kind: 'get' | 'children'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'watch again'; readonly paths: readonly string[]; readonly lines: readonly string[] }
  | Asked;

/** What the leader is asked. */
export type Asked =
  | { readonly kind: 'create'; readonly path: string; readonly data: string; readonly flags: number }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'sync' | 'goodbye' };

export interface Answer {
  readonly code: number;
  /** To a ping, which no caller waits for. */
  readonly pong?: true;
  readonly path?: string;
  readonly stat?: Stat | null;
  readonly data?: string;
  readonly names?: readonly string[];
}

/** What a client says first. */
export interface Hello {
  /** None, for a new one. */
  readonly session: string;
  readonly timeoutMs: number;
  /** Of the last transaction that it knows of. */
  readonly zxid: number;
}

/** The other end of a connection. */
export interface ClientEnd {
  /** Without a session: it has ended. */
  greeted(session: string | undefined, timeoutMs: number): void;
  answered(answer: Answer, zxid: number): void;
  deleted(path: string): void;
  child(path: string): void;
  hungUp(): void;
}

/** One of the servers: what it has been told by the leader, and its clients. */
export class Member {
  tree = new Tree();
  /** Takes clients. */
  serving = true;
  /** Whether the leader and it hear each other. */
  linked = true;
  /** How much later than others it hears of what is agreed on. */
  lagMs = 0;
  /** Was the leader, and does not know yet that it is no longer: what it knows of sessions. */
  deposed: ReadonlySet<string> | undefined;
  /** All that the leader has told it arrives in order, and all that it tells the leader. */
  toldUntil = 0;
  tellsUntil = 0;
  /** The sessions that were heard of since the leader was told last. */
  private heardOf = new Set<string>();
  private readonly connections = new Set<Connection>();

  constructor(
    readonly index: number,
    readonly ensemble: Ensemble,
  ) {}

  get isLeader(): boolean {
    return this.ensemble.leader === this;
  }

  /** Whether it hears the leader, or is it. */
  get follows(): boolean {
    return this.serving && this.linked && this.deposed === undefined;
  }

  /** Whether there is anything to tell the leader. */
  get inUse(): boolean {
    return this.heardOf.size > 0;
  }

  /** Refused, a client tries another. */
  accept(hello: Hello, client: ClientEnd): Connection | undefined {
    if (!this.serving || hello.zxid > this.tree.zxid) return undefined;
    const connection = new Connection(this, client);
    this.connections.add(connection);
    connection.greet(hello);
    return connection;
  }

  heard(session: string): void {
    if (this.isLeader) this.ensemble.touch(session);
    else this.heardOf.add(session);
  }

  tellWhoIsAlive(): ReadonlySet<string> {
    const { heardOf } = this;
    this.heardOf = new Set();
    return heardOf;
  }

  apply(transaction: Transaction): void {
    if (transaction.zxid <= this.tree.zxid) return;
    const { change } = transaction;
    const gone = this.tree.apply(transaction);
    const changed = change.kind === 'make' ? [change.path] : gone;
    for (const each of this.connections) {
      for (const path of gone) each.gone(path);
      for (const path of changed) each.changed(parentOf(path));
    }
    if (change.kind !== 'end') return;
    for (const each of this.connections) if (each.session === change.session) each.hangUp();
  }

  /** It has all that was agreed on. */
  catchUp(log: readonly Transaction[]): void {
    for (const transaction of log) this.apply(transaction);
  }

  /** It loses its clients, who hear of it at once, or not at all. */
  stop(silently: boolean): void {
    this.serving = false;
    this.deposed = undefined;
    this.heardOf.clear();
    for (const each of this.connections) {
      if (silently) this.drop(each);
      else each.hangUp();
    }
  }

  drop(connection: Connection): void {
    connection.closed = true;
    this.connections.delete(connection);
  }
}

interface Pending {
  readonly answer: () => Answer;
  ready: boolean;
}

/** A client on a server: what it asks is answered in the order in which it asks. */
export class Connection {
  session: string | undefined;
  closed = false;
  private readonly pending: (Pending & { result?: Answer })[] = [];
  private readonly watched = new Set<string>();
  private readonly watchedLines = new Set<string>();
  /** What the client knew of when it came. */
  private since = 0;

  constructor(
    private readonly member: Member,
    private readonly client: ClientEnd,
  ) {}

  greet({ session, timeoutMs, zxid }: Hello): void {
    const { member } = this;
    this.since = zxid;
    const { ensemble } = member;
    if (member.deposed !== undefined)
      return member.deposed.has(session) ? this.welcome(session, timeoutMs) : this.hangUp();
    const welcome = (known: string | undefined): void => this.welcome(known, ensemble.grant(timeoutMs));
    if (session === '') ensemble.begin(member, this, timeoutMs, welcome);
    else ensemble.takeOver(member, this, session, (known) => welcome(known ? session : undefined));
  }

  receive(request: Request): void {
    if (this.closed || this.session === undefined) return;
    this.member.heard(this.session);
    switch (request.kind) {
      case 'create':
      case 'delete':
      case 'sync':
      case 'goodbye':
        return this.forward(request);
      default:
        this.pending.push({ ready: true, answer: () => this.read(request) });
        this.pump();
    }
  }

  gone(path: string): void {
    if (this.watched.delete(path)) this.client.deleted(path);
  }

  changed(path: string): void {
    if (this.watchedLines.delete(path)) this.client.child(path);
  }

  hangUp(): void {
    this.member.drop(this);
    this.client.hungUp();
  }

  private welcome(session: string | undefined, timeoutMs: number): void {
    if (this.closed) return;
    this.session = session;
    if (session !== undefined) this.member.heard(session);
    this.client.greeted(session, timeoutMs);
    if (session === undefined) this.member.drop(this);
  }

  private forward(asked: Asked): void {
    let result: Answer = { code: OK };
    const pending: Pending = { ready: false, answer: () => result };
    this.pending.push(pending);
    const settle = (answer: Answer): void => {
      result = answer;
      pending.ready = true;
      this.pump();
    };
    // Of its own, it is the leader still.
    if (this.member.deposed !== undefined) {
      if (asked.kind === 'sync') settle({ code: OK });
    } else {
      this.member.ensemble.ask(this.member, this, asked, settle);
    }
  }

  private pump(): void {
    while (!this.closed && this.pending[0]?.ready === true) {
      this.client.answered(this.pending.shift()!.answer(), this.member.tree.zxid);
    }
  }

  private read(request: Exclude<Request, Asked>): Answer {
    const { tree } = this.member;
    if (request.kind === 'ping') return { code: OK, pong: true };
    if (request.kind === 'watch again') {
      for (const path of request.paths) {
        this.watched.add(path);
        if (!tree.has(path)) this.gone(path);
      }
      for (const path of request.lines) {
        this.watchedLines.add(path);
        if ((tree.stat(path)?.pzxid ?? Infinity) > this.since) this.changed(path);
      }
      return { code: OK };
    }
    const { path } = request;
    const stat = tree.stat(path);
    if (stat === null) return { code: NO_NODE, stat };
    if (request.kind === 'children' && request.watch) this.watchedLines.add(path);
    if (request.kind === 'children') return { code: OK, stat, names: tree.children(path) };
    if (request.kind === 'get' && request.watch) this.watched.add(path);
    return { code: OK, stat, data: tree.data(path) };
  }
}
