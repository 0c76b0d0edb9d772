import { type Clock } from '../../../lib/core/index.js';
import { type Fault } from '../history.js';
import { type Timeline } from './ensemble.js';
import { type Answer, type Connection, type Hello, type Member, type Request } from './member.js';

/** What becomes of something that is sent on a connection, and how long it takes. */
export interface Passage {
  readonly fault?: Fault | undefined;
  readonly delayMs: number;
}

/** The way from one process to the servers and back. */
export interface Way {
  readonly timeline: Timeline;
  readonly clock: Clock;
  there(): Passage;
  /** For what this server says now. */
  backMs(member: Member): number;
  /** Whether there is a way to this server now. */
  reaches(member: Member): boolean;
  /** Now, or when the event loop of the process runs again. */
  whenAwake(work: () => void): void;
}

/** What of a connection the driver hears. */
export interface DriverEnd {
  greeted(session: string | undefined, timeoutMs: number): void;
  answered(answer: Answer, zxid: number): void;
  deleted(path: string): void;
  child(path: string): void;
  lost(): void;
}

/** One connection to one server. All that is sent arrives in order, until it breaks, or goes silent and nobody is told. */
export class Wire {
  heardAt: number;
  /** As far as the client knows. */
  over = false;
  private silent = false;
  private broken = false;
  private server: Connection | undefined;
  private thereUntil = 0;
  private backUntil = 0;
  private inbox: (() => void)[] = [];

  constructor(
    private readonly way: Way,
    private readonly member: Member,
    private readonly client: DriverEnd,
  ) {
    this.heardAt = way.clock.now();
  }

  /** The server may refuse it. */
  open(hello: Hello): void {
    const { client } = this;
    this.up(() => {
      this.server = this.member.accept(hello, {
        greeted: (session, timeoutMs) => this.down(() => client.greeted(session, timeoutMs)),
        answered: (answer, zxid) => this.down(() => answer.pong ?? client.answered(answer, zxid)),
        deleted: (path) => this.down(() => client.deleted(path)),
        child: (path) => this.down(() => client.child(path)),
        hungUp: () => this.breaks(),
      });
      if (this.server === undefined) this.breaks();
    });
  }

  send(request: Request): void {
    this.up(() => this.server?.receive(request));
  }

  /** The client has hung up. What it has sent arrives. */
  leave(): void {
    this.over = true;
  }

  lose(): void {
    if (this.over) return;
    this.over = true;
    this.client.lost();
  }

  private up(arrive: () => void): void {
    if (this.over || this.broken || this.isCut) return;
    const { timeline } = this.way;
    const { fault, delayMs } = this.way.there();
    if (fault === 'swallowed') this.silent = true;
    if (fault === 'not sent') this.breaks();
    if (fault === 'swallowed' || fault === 'not sent') return;
    this.thereUntil = Math.max(this.thereUntil, timeline.time + delayMs);
    timeline.at(this.thereUntil, () => {
      if (fault === 'never answered') this.silent = true;
      if (fault === 'reply lost') this.breaks();
      arrive();
    });
  }

  private breaks(): void {
    this.down(() => this.lose());
    this.broken = true;
  }

  private get isCut(): boolean {
    return (this.silent ||= !this.way.reaches(this.member));
  }

  private down(hear: () => void): void {
    if (this.isCut || this.broken) return;
    const { timeline } = this.way;
    this.backUntil = Math.max(this.backUntil, timeline.time + this.way.backMs(this.member));
    timeline.at(this.backUntil, () => {
      if (this.silent || this.over) return;
      this.inbox.push(hear);
      if (this.inbox.length === 1) this.way.whenAwake(() => this.hearAll());
    });
  }

  private hearAll(): void {
    const { inbox } = this;
    this.inbox = [];
    this.heardAt = this.way.clock.now();
    for (const hear of inbox) if (!this.over) hear();
  }
}
