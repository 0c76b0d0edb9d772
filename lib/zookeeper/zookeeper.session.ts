import { type Alarm } from '../core/clock.js';
import { type Moment, momentOf } from '../core/moment.js';
import { Changes } from './zookeeper.changes.js';
import { ZooKeeperClient } from './zookeeper.client.js';
import { closedFor, NotKnownError, SessionEndedError } from './zookeeper.errors.js';
import { type ZooKeeperSettings } from './zookeeper.options.js';
import { MOST_SILENCE, type Relay, type SessionPorts } from './zookeeper.ports.js';
import { SessionProof, SIGNS_PER_TIMEOUT } from './zookeeper.proof.js';
import { SessionRenewals } from './zookeeper.renewals.js';
import { SessionWatches, type Watcher } from './zookeeper.watches.js';
import { within } from './zookeeper.within.js';

/** Whoever stands in a line by a node of the session. */
export interface Member extends Watcher {
  /** It was told that it is in. */
  readonly holding: boolean;
  /** It pays off to ask again: the session has ended, or heard nothing for a while. */
  wake(): void;
}

/**
 * One session, from connecting to its end: opening → connected ⇄ disconnected → ended. What was held in it is held in no
 * other.
 *
 * The driver keeps the session alive, but says so to nobody, and tells of the end only when the network is back. So this
 * sends signs of life of its own, and ends the session itself when none was answered for the whole timeout: the network,
 * the servers or the driver are gone.
 */
export class ZooKeeperSession {
  readonly members = new Set<Member>();
  /** What the paths of its members' nodes take. */
  nodeBytes = 0;
  readonly watches: SessionWatches;
  readonly renewals = new SessionRenewals(this);
  /** Resolves when the session is over. */
  readonly over: Promise<void>;
  private readonly client: ZooKeeperClient;
  private readonly openedAt: number;
  private timer: Alarm | undefined;
  /** When the timer last rang. */
  private lookedAt: number;
  /** It became connected, sure to live on, or it ended. */
  private readonly changes: Changes;
  private readonly leftovers = new Set<() => Promise<void>>();
  private proof: SessionProof | undefined;
  private connected = false;
  private why: Error | undefined;
  /** Nobody asks anything of it any more, but it may go on for a lease. */
  private left: Error | undefined;
  private signing = false;
  private resolveOver!: () => void;

  /** Begins to connect. @throws LockConfigError when the driver cannot be had. */
  static async open(settings: ZooKeeperSettings, ports: SessionPorts): Promise<ZooKeeperSession> {
    const timeoutMs = (): number => session?.timeoutMs ?? settings.sessionTimeoutMs;
    const relay = ports.makeRelay({ servers: settings.servers, clock: ports.clock, timeoutMs });
    let session: ZooKeeperSession | undefined;
    const address = await relay.open();
    try {
      session = new ZooKeeperSession(settings, ports, relay, address);
      return session;
    } catch (error) {
      await relay.close();
      throw error;
    }
  }

  private constructor(
    readonly settings: ZooKeeperSettings,
    private readonly ports: SessionPorts,
    private readonly relay: Relay,
    address: string,
  ) {
    this.changes = new Changes(ports.clock);
    this.over = new Promise((resolve) => (this.resolveOver = resolve));
    this.openedAt = this.lookedAt = ports.clock.now();
    this.client = new ZooKeeperClient(ports, settings, address, {
      connected: () => this.onConnected(),
      disconnected: () => (this.connected = false),
      closed: (code) => this.end(closedFor(code) ?? new SessionEndedError(`closed (${code})`)),
      deleted: (path) => this.watches.gone(path),
      changed: (path) => this.watches.changed(path),
      child: (path) => this.watches.changed(path),
    });
    this.watches = new SessionWatches(this.client);
    this.lookEvery(settings.sessionTimeoutMs / SIGNS_PER_TIMEOUT);
  }

  get id(): string {
    return this.client.sessionId;
  }

  /** What the nodes and the watches that it has take: its end names the ones, a new connection the others. */
  get load(): number {
    return Math.max(this.nodeBytes, this.watches.bytes);
  }

  /** What a claim is given, once it is connected. */
  get leaseMs(): number {
    return this.proof?.leaseMs ?? this.settings.sessionTimeoutMs;
  }

  get timeoutMs(): number {
    return this.proof?.timeoutMs ?? this.settings.sessionTimeoutMs;
  }

  /** How long any call is waited for. */
  get patienceMs(): number {
    return Math.min(4_000, Math.max(1_000, this.timeoutMs / 2));
  }

  /** By the clock, even if no timer has run. */
  get alive(): boolean {
    if (this.why === undefined && this.isSilent) {
      this.end(new SessionEndedError(`no answer from any server for ${this.timeoutMs} ms`));
    }
    return this.why === undefined;
  }

  /** It has ended because this side wanted it to. */
  get givenUp(): boolean {
    return this.why !== undefined && this.why === this.left;
  }

  private get isSilent(): boolean {
    // Where a first connection could not even be tried, for want of a socket, the driver never tries again.
    return this.proof?.over ?? this.ports.clock.now() - this.openedAt >= this.timeoutMs;
  }

  /** Sends something as soon as the session is connected. Nothing is sent later, when nobody waits for it any more. */
  async ask<T>(send: (client: ZooKeeperClient) => Promise<T>): Promise<T> {
    await this.ready();
    return this.inTime(send(this.client));
  }

  /** What it settles to, if that is soon enough for a call. */
  inTime<T>(answer: Promise<T>): Promise<T> {
    return within(this.ports.clock, this.patienceMs, answer);
  }

  /** As `ask`, but what comes of it counts only once the session surely lives on: for what a lease is given on. */
  async flight<T>(send: (client: ZooKeeperClient) => Promise<T>): Promise<T> {
    const answer = await this.ask(send);
    const sure = await this.changes.come(() => !this.alive || this.proof!.sound, this.patienceMs);
    if (!this.alive) throw this.why!;
    if (!sure) throw new NotKnownError('not heard of the server for long: the session may be over');
    return answer;
  }

  /** Tells the proof, which a call was for that the leader has a part in. Whatever the leader answers is a sign of life. */
  signed<T>(call: Promise<T>): Promise<T> {
    const sent = momentOf(this.ports.clock);
    call.then(
      () => this.answered(sent),
      () => undefined,
    );
    return call;
  }

  /** What could not be made certain is tried until it is, or the session is over. */
  leaveTo(tidy: () => Promise<void>): void {
    if (this.alive) this.leftovers.add(tidy);
  }

  async ready(): Promise<void> {
    const { patienceMs } = this;
    const ready = await this.changes.come(() => this.connected || !this.alive || this.left !== undefined, patienceMs);
    if (!this.alive || this.left !== undefined) throw this.why ?? this.left!;
    if (!ready) throw new NotKnownError(`not connected within ${Math.round(patienceMs)} ms`);
  }

  /**
   * Ends it, but for a session that somebody was left in: that lasts for a lease more, since nobody may be let in early. Its
   * nodes go with it, so the connection stays for so long, and with it the process, unless that exits.
   */
  leave(why: Error): Promise<void> {
    this.left = why;
    if (!this.connected || ![...this.members].some(({ holding }) => holding)) {
      this.end(why);
      return this.over;
    }
    this.ports.clock.alarm(this.leaseMs, () => this.end(why));
    return Promise.resolve();
  }

  end(why: Error, { atOnce = false } = {}): void {
    if (this.why !== undefined) return;
    this.why = why;
    this.connected = false;
    this.timer?.cancel();
    this.leftovers.clear();
    this.client.fail(why);
    const closed = this.relay.close();
    if (atOnce) {
      this.relay.cut();
      this.client.close();
    }
    void closed.then(() => {
      this.client.close();
      this.resolveOver();
    });
    this.changes.told();
    for (const member of [...this.members]) member.wake();
  }

  private onConnected(): void {
    const again = this.proof !== undefined;
    // A server asks the leader for a new session, and about one that it takes over: so the leader has heard of it.
    this.proof = new SessionProof(this.ports.clock, this.client.timeoutMs, this.relay.greetedAt);
    // What held the event loop up before is no matter of this connection.
    this.lookedAt = this.ports.clock.now();
    this.lookEvery(this.timeoutMs / SIGNS_PER_TIMEOUT);
    this.connected = true;
    this.changes.told();
    this.sign();
    this.tidyUp();
    // What the driver was about to watch when the connection was lost, it does not.
    if (again) for (const member of [...this.members]) member.wake();
  }

  private answered(sent: Moment): void {
    const { proof } = this;
    if (proof === undefined || !this.connected) return;
    const wasSound = proof.sound;
    proof.answered(sent);
    if (!wasSound && proof.sound) this.changes.told();
  }

  private lookEvery(ms: number): void {
    this.timer?.cancel();
    this.timer = this.ports.clock.alarm(ms, () => {
      this.lookEvery(ms);
      this.letGoIfHeldUp();
      this.look();
    });
    this.timer.keepAlive(false);
  }

  /**
   * After that, the driver, whose own timer is later than this, would take the connection for dead and close its socket behind
   * the back of the event loop: whoever opens the next one is deaf, or the process ends. Nothing is lost by letting go of it:
   * all leases have ended.
   */
  private letGoIfHeldUp(): void {
    const now = this.ports.clock.now();
    const heldUpMs = now - Math.min(this.lookedAt, this.relay.heardAt);
    this.lookedAt = now;
    if (heldUpMs < this.timeoutMs * MOST_SILENCE) return;
    this.end(new SessionEndedError(`the event loop was held up for ${Math.round(heldUpMs)} ms`), { atOnce: true });
  }

  private look(): void {
    if (!this.alive || !this.connected) return;
    this.sign();
    this.tidyUp();
  }

  /** One at a time: if that is not answered, neither is another. */
  private sign(): void {
    if (this.signing) return;
    this.signing = true;
    this.signed(this.client.sync()).then(
      () => (this.signing = false),
      () => (this.signing = false),
    );
  }

  private tidyUp(): void {
    for (const tidy of [...this.leftovers]) {
      this.leftovers.delete(tidy);
      tidy().catch(() => this.leaveTo(tidy));
    }
  }
}
