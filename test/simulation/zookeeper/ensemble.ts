import { type Dice } from '../kernel/dice.js';
import {
  type Answer,
  type Asked,
  type Connection,
  EXPIRED,
  Member,
  MOVED,
  NO_NODE,
  NODE_EXISTS,
  OK,
} from './member.js';
import { type Change, parentOf, type Transaction, Tree } from './tree.js';

const { floor, max, min } = Math;

/** Time, and what is to happen in it. */
export interface Timeline {
  readonly time: number;
  at(due: number, happen: () => void): () => void;
}

/** What of it may befall clients, as it happens. */
export type Incident = 'session ended' | 'session moved' | 'line collected';

export interface EnsembleTerms {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly tickMs: number;
  /** From one server to another, at most. */
  readonly hopMs: number;
  readonly collectEveryMs: number;
  readonly happens: (incident: Incident) => void;
  /** A claim's node goes with its session. */
  readonly dropped: (node: string, czxid: number) => void;
}

/** What the leader knows of a session. */
interface Tracked {
  readonly timeoutMs: number;
  endsAt: number;
  owner: Connection | undefined;
  ending: boolean;
}

interface Proposal {
  readonly transaction: Transaction;
  readonly commitsAt: number;
  readonly callOff: () => void;
}

const SERVERS = 3;
const EPHEMERAL = 1;
const SEQUENTIAL = 2;
const CONTAINER = 4;

/** Three servers, one of which leads: it puts all changes in order, and knows who is alive. */
export class Ensemble {
  readonly members: readonly Member[] = Array.from({ length: SERVERS }, (_, index) => new Member(index, this));
  leader: Member | undefined = this.members[0]!;
  /** What was agreed on. */
  private readonly log: Transaction[] = [];
  /** What was agreed on, and what will be if this leader lasts. */
  private ahead = new Tree();
  private readonly proposals: Proposal[] = [];
  private readonly tracked = new Map<string, Tracked>();
  private epoch = 1;
  private counter = 0;
  private sessions = 0;
  /** Stands for the beats of this leader, as long as there are sessions. */
  private beating: object | undefined;
  private collectedAt = 0;

  constructor(private readonly terms: EnsembleTerms) {}

  /** The nodes of claims. */
  residue(): number {
    return this.ahead.ephemerals().length;
  }

  /** The timeout that is granted to whoever asks for one. */
  grant(timeoutMs: number): number {
    const { tickMs } = this.terms;
    return min(max(timeoutMs, 2 * tickMs), 20 * tickMs);
  }

  begin(member: Member, owner: Connection, timeoutMs: number, begun: (session: string) => void): void {
    this.toLeader(member, () => {
      this.sessions += 1;
      const session = `1000${String(this.sessions).padStart(8, '0')}`;
      const granted = this.grant(timeoutMs);
      this.tracked.set(session, { timeoutMs: granted, endsAt: 0, owner, ending: false });
      this.touch(session);
      this.propose({ kind: 'begin', session, timeoutMs: granted }, member, () => begun(session));
      this.tick();
    });
  }

  /** A client has come to another server, or again. From now on, nothing that it sent before is done. */
  takeOver(member: Member, owner: Connection, session: string, taken: (known: boolean) => void): void {
    this.toLeader(member, () => {
      const tracked = this.tracked.get(session);
      const known = tracked !== undefined && !tracked.ending;
      if (known) {
        tracked.owner = owner;
        this.touch(session);
      }
      this.toMember(member, () => taken(known));
    });
  }

  ask(member: Member, from: Connection, asked: Asked, settle: (answer: Answer) => void): void {
    this.toLeader(member, () => this.process(member, from, asked, settle));
  }

  /** It lives on for its timeout from now, and until the next tick. */
  touch(session: string): void {
    const tracked = this.tracked.get(session);
    if (tracked === undefined || tracked.ending) return;
    const { tickMs, timeline } = this.terms;
    tracked.endsAt = (floor((timeline.time + tracked.timeoutMs) / tickMs) + 1) * tickMs;
  }

  /** The leader is gone, and for a while there is none. What it proposed last may be lost. */
  elect({ downMs, silently, deposedMs }: { downMs: number; silently: boolean; deposedMs: number }): void {
    const { timeline, dice } = this.terms;
    const old = this.leader;
    if (old === undefined) return;
    const survive = dice.below(this.proposals.length + 1);
    this.proposals.forEach(({ callOff, transaction }, index) => {
      callOff();
      if (index < survive) this.log.push(transaction);
    });
    this.proposals.length = 0;
    this.leader = undefined;
    this.beating = undefined;
    this.epoch += 1;
    this.counter = 0;
    if (deposedMs > 0) old.deposed = new Set(this.tracked.keys());
    for (const member of this.members) if (member.deposed === undefined) member.stop(silently);
    timeline.at(timeline.time + downMs, () => this.lead(old));
    if (old.deposed !== undefined) {
      timeline.at(timeline.time + downMs + deposedMs, () => {
        old.stop(silently);
        this.join(old);
      });
    }
  }

  /** A server that does not lead is gone for a while. */
  lose(member: Member, { downMs, silently }: { downMs: number; silently: boolean }): void {
    if (!this.follows(member)) return;
    const { timeline } = this.terms;
    member.stop(silently);
    timeline.at(timeline.time + downMs, () => this.join(member));
  }

  /** A server that does not hear the leader, and does not notice for a while: it goes on answering what it can. */
  cutOff(member: Member, forMs: number): void {
    if (!this.follows(member)) return;
    const { timeline } = this.terms;
    member.linked = false;
    timeline.at(timeline.time + forMs, () => {
      member.stop(false);
      this.join(member);
    });
  }

  /** A server that hears of everything later, for a while. */
  delay(member: Member, lagMs: number, forMs: number): void {
    const { timeline } = this.terms;
    member.lagMs = lagMs;
    timeline.at(timeline.time + forMs, () => (member.lagMs = 0));
  }

  private follows(member: Member): boolean {
    return this.leader !== undefined && this.leader !== member && member.follows;
  }

  /** One of those that have all that was agreed on leads from now on, and gives every session its whole timeout. */
  private lead(old: Member): void {
    const { dice } = this.terms;
    const leader = dice.oneOf(...this.members.filter((member) => member !== old || old.deposed === undefined));
    this.leader = leader;
    this.ahead = new Tree();
    for (const transaction of this.log) this.ahead.apply(transaction);
    this.tracked.clear();
    for (const [session, timeoutMs] of this.ahead.sessions) {
      this.tracked.set(session, { timeoutMs, endsAt: 0, owner: undefined, ending: false });
      this.touch(session);
    }
    for (const member of this.members) if (member.deposed === undefined) this.join(member);
    this.tick();
  }

  /** A server that is one of the ensemble, and has all that was agreed on. */
  private join(member: Member): void {
    if (this.leader === undefined) return;
    member.catchUp(this.log);
    member.serving = true;
    member.linked = true;
  }

  private process(member: Member, from: Connection, asked: Asked, settle: (answer: Answer) => void): void {
    const session = from.session!;
    const tracked = this.tracked.get(session);
    const refused = tracked === undefined || tracked.ending ? EXPIRED : tracked.owner === from ? OK : MOVED;
    if (refused === MOVED) this.terms.happens('session moved');
    if (refused !== OK) return this.propose({ kind: 'nothing' }, member, () => settle({ code: refused }));
    if (asked.kind === 'sync') return this.afterProposals(() => this.toMember(member, () => settle({ code: OK })));
    if (asked.kind === 'goodbye') return this.end(session, tracked!);
    const { code, change, path } = this.changeOf(asked, session);
    this.propose(change, member, () => settle({ code, ...(path !== undefined && { path }) }));
  }

  private changeOf(asked: Asked, session: string): { code: number; change: Change; path?: string } {
    const { ahead } = this;
    const change: Change = { kind: 'nothing' };
    if (asked.kind === 'delete') {
      const { path } = asked;
      return ahead.has(path) ? { code: OK, change: { kind: 'remove', path } } : { code: NO_NODE, change };
    }
    const { path: asGiven, flags, data } = asked as Asked & { readonly kind: 'create' };
    const parent = parentOf(asGiven);
    if (!ahead.has(parent)) return { code: NO_NODE, change };
    const container = flags === CONTAINER;
    const path = !container && (flags & SEQUENTIAL) > 0 ? asGiven + ahead.sequence(parent) : asGiven;
    if (ahead.has(path)) return { code: NODE_EXISTS, change };
    const owner = !container && (flags & EPHEMERAL) > 0 ? session : '0';
    return { code: OK, path, change: { kind: 'make', path, data, owner, container, at: this.terms.timeline.time } };
  }

  private end(session: string, tracked: Tracked): void {
    tracked.ending = true;
    this.propose({ kind: 'end', session });
  }

  /** Agreed on when most servers have written it down; `applied` when the server that passed it on has it. */
  private propose(change: Change, member?: Member, applied?: () => void): void {
    const { timeline, dice, hopMs } = this.terms;
    this.counter += 1;
    const transaction = { zxid: this.epoch * 2 ** 32 + this.counter, change };
    this.ahead.apply(transaction);
    const commitsAt = max(timeline.time + 2 * dice.fraction() * hopMs, this.proposals.at(-1)?.commitsAt ?? 0);
    const callOff = timeline.at(commitsAt, () => this.commit(transaction, member, applied));
    this.proposals.push({ transaction, commitsAt, callOff });
  }

  private commit(transaction: Transaction, member?: Member, applied?: () => void): void {
    this.proposals.shift();
    this.log.push(transaction);
    const { change } = transaction;
    if (change.kind === 'end') this.tracked.delete(change.session);
    const changes = change.kind !== 'nothing';
    for (const each of this.members) {
      if (!changes && each !== member) continue;
      this.toMember(each, () => {
        each.apply(transaction);
        if (each === member) applied?.();
      });
    }
  }

  private afterProposals(act: () => void): void {
    const { timeline } = this.terms;
    const { epoch } = this;
    const last = this.proposals.at(-1);
    if (last === undefined) act();
    else timeline.at(last.commitsAt, () => this.epoch === epoch && act());
  }

  /** Every tick sessions end, and every half tick the others tell the leader who is alive. As long as there are any. */
  private tick(): void {
    if (this.beating !== undefined) return;
    const { timeline, tickMs, dice } = this.terms;
    const own = (this.beating = {});
    const again = (due: number, everyMs: number, beat: () => void): void => {
      timeline.at(due, () => {
        if (this.beating !== own) return;
        if (this.tracked.size === 0) return void (this.beating = undefined);
        beat();
        again(due + everyMs, everyMs, beat);
      });
    };
    again((floor(timeline.time / tickMs) + 1) * tickMs, tickMs, () => this.endSessions());
    again(timeline.time + (dice.fraction() * tickMs) / 2, tickMs / 2, () => this.askWhoIsAlive());
  }

  private endSessions(): void {
    const { timeline, collectEveryMs, happens, dropped } = this.terms;
    for (const [session, tracked] of this.tracked) {
      if (tracked.ending || tracked.endsAt > timeline.time) continue;
      happens('session ended');
      for (const path of this.ahead.ephemerals(session)) dropped(path, this.ahead.stat(path)!.czxid);
      this.end(session, tracked);
    }
    if (timeline.time - this.collectedAt < collectEveryMs) return;
    this.collectedAt = timeline.time;
    for (const path of this.ahead.left()) {
      happens('line collected');
      this.propose({ kind: 'remove', path });
    }
  }

  private askWhoIsAlive(): void {
    for (const member of this.members) {
      if (member === this.leader || !member.inUse) continue;
      this.toMember(member, () => {
        const alive = member.tellWhoIsAlive();
        this.toLeader(member, () => {
          for (const session of alive) this.touch(session);
        });
      });
    }
  }

  private toLeader(member: Member, arrive: () => void): void {
    member.tellsUntil = this.hop(member, 0, member.tellsUntil, arrive);
  }

  private toMember(member: Member, arrive: () => void): void {
    member.toldUntil = this.hop(member, member.lagMs, member.toldUntil, arrive);
  }

  /** In order, and not if there is another leader meanwhile, or none. */
  private hop(member: Member, lagMs: number, after: number, arrive: () => void): number {
    const { timeline, dice, hopMs } = this.terms;
    const { epoch } = this;
    const takesMs = member === this.leader ? 0 : dice.fraction() * hopMs + lagMs;
    const due = max(after, timeline.time + takesMs);
    const goOn = (): void => {
      if (this.epoch === epoch && this.leader !== undefined && member.follows) arrive();
    };
    if (due > timeline.time) timeline.at(due, goOn);
    else goOn();
    return due;
  }
}
