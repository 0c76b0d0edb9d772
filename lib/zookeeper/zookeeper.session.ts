import { type Clock } from '../core/clock.js';
import { type Moment, momentOf } from '../core/moment.js';
import { addressesOf } from './zookeeper.addresses.js';
import { ZooKeeperClient } from './zookeeper.client.js';
import { type OpenDriver } from './zookeeper.driver.js';
import { closedFor, NotKnownError, SessionEndedError } from './zookeeper.errors.js';
import { type ZooKeeperSettings } from './zookeeper.options.js';
import { SessionProof } from './zookeeper.proof.js';
import { SessionRenewals } from './zookeeper.renewals.js';
import { SessionWatches, type Watcher } from './zookeeper.watches.js';
import { within } from './zookeeper.within.js';

export interface SessionPorts {
  readonly clock: Clock;
  readonly openDriver: OpenDriver;
}

/** Whoever stands in a line by a node of the session. */
export interface Member extends Watcher {
  /** It was told that it is in. */
  readonly holding: boolean;
  /** It pays off to ask again: the session has ended, or heard nothing for a while. */
  wake(): void;
}

/** How often in a timeout the session is looked after, and a sign of life that the leader has a part in is sent at the latest. */
const LOOKS_PER_TIMEOUT = 8;
const SIGNS_PER_TIMEOUT = 4;

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
  readonly watches: SessionWatches;
  readonly renewals = new SessionRenewals(this);
  /** Resolves when the session is over. */
  readonly over: Promise<void>;
  private readonly client: ZooKeeperClient;
  private readonly timer: NodeJS.Timeout;
  private readonly leftovers = new Set<() => Promise<void>>();
  private proof: SessionProof | undefined;
  private connected = false;
  private why: Error | undefined;
  /** Nobody asks anything of it any more, but it goes on for a lease. */
  private left: Error | undefined;
  private signing = false;
  private readonly waiting = new Set<() => void>();
  private resolveOver!: () => void;

  constructor(
    readonly settings: ZooKeeperSettings,
    private readonly ports: SessionPorts,
    addresses: string,
  ) {
    this.over = new Promise((resolve) => (this.resolveOver = resolve));
    this.client = new ZooKeeperClient(ports.openDriver, settings, addresses, {
      connected: () => this.onConnected(),
      disconnected: () => this.onDisconnected(),
      closed: (code) => this.end(closedFor(code) ?? new SessionEndedError(`closed (${code})`)),
      fired: (path) => this.watches.fired(path),
    });
    this.watches = new SessionWatches(this.client);
    this.timer = setInterval(() => this.look(), settings.sessionTimeoutMs / LOOKS_PER_TIMEOUT);
    this.timer.unref();
  }

  get id(): string {
    return this.client.sessionId;
  }

  /** What a claim is given. */
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
    if (this.why === undefined && this.proof?.over === true) {
      this.end(new SessionEndedError(`no answer from any server for ${this.timeoutMs} ms`));
    }
    return this.why === undefined;
  }

  /** Why it has ended. */
  get cause(): Error | undefined {
    return this.why;
  }

  /** Sends something as soon as the session is connected. Nothing is sent later, when nobody waits for it any more. */
  async ask<T>(send: (client: ZooKeeperClient) => Promise<T>): Promise<T> {
    await this.ready();
    return within(this.patienceMs, send(this.client));
  }

  /** As `ask`, but what comes of it counts only if the session surely lives on: for what a lease is given on. */
  async flight<T>(send: (client: ZooKeeperClient) => Promise<T>): Promise<T> {
    const answer = await this.ask(send);
    if (!this.alive) throw this.why!;
    if (!this.proof!.sound) throw new NotKnownError('not heard of the server for long: the session may be over');
    return answer;
  }

  /** Tells the proof, which a call was for that the leader has a part in. Whatever the leader answers is a sign of life. */
  signed<T>(call: Promise<T>): Promise<T> {
    const sent = momentOf(this.ports.clock);
    call.then(
      () => this.proof?.confirmed(sent),
      () => undefined,
    );
    return call;
  }

  /** What could not be made certain is tried until it is, or the session is over. */
  leaveTo(tidy: () => Promise<void>): void {
    if (this.alive) this.leftovers.add(tidy);
  }

  async ready(): Promise<void> {
    if (!this.alive || this.left !== undefined) throw this.why ?? this.left!;
    if (this.connected) return;
    await within(this.patienceMs, new Promise<void>((resolve) => this.waiting.add(resolve))).catch(() => {
      throw this.why ?? new NotKnownError(`not connected within ${Math.round(this.patienceMs)} ms`);
    });
    if (!this.alive) throw this.why!;
  }

  /**
   * Ends it, but for a session that somebody was left in: that lasts for a lease more, since nobody may be let in early. The
   * driver cannot go without saying goodbye, so it stays for so long, and with it the process, unless that exits.
   */
  leave(why: Error): Promise<void> {
    if (!this.connected || ![...this.members].some(({ holding }) => holding)) {
      this.end(why);
      return this.over;
    }
    this.left = why;
    setTimeout(() => this.end(why), this.leaseMs);
    return Promise.resolve();
  }

  end(why: Error): void {
    if (this.why !== undefined) return;
    this.why = why;
    this.connected = false;
    clearInterval(this.timer);
    this.leftovers.clear();
    void this.client.end(why).then(this.resolveOver);
    this.release();
    for (const member of [...this.members]) member.wake();
  }

  private onConnected(): void {
    const { clock } = this.ports;
    const { timeoutMs } = this.client;
    // The leader has made the session, or has heard of it again: at most two thirds of a timeout ago, the driver's patience.
    const ago = (timeoutMs * 2) / 3;
    const sent: Moment = { now: clock.now() - ago, wall: clock.wall() - ago };
    const again = this.proof !== undefined;
    this.proof = new SessionProof(clock, timeoutMs, sent);
    this.connected = true;
    this.sign();
    this.release();
    this.tidyUp();
    // What the driver was about to watch when the connection was lost, it does not.
    if (again) {
      this.watches.forget();
      for (const member of [...this.members]) member.wake();
    }
  }

  private onDisconnected(): void {
    this.connected = false;
    void this.refreshAddresses();
  }

  private release(): void {
    for (const resolve of [...this.waiting]) resolve();
    this.waiting.clear();
  }

  private look(): void {
    if (!this.alive) return;
    if (!this.connected) {
      void this.refreshAddresses();
      return;
    }
    if (this.proof!.silenceMs >= this.timeoutMs / SIGNS_PER_TIMEOUT || !this.proof!.sound) this.sign();
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

  private async refreshAddresses(): Promise<void> {
    const addresses = await addressesOf(this.settings.servers, this.patienceMs).catch(() => undefined);
    if (addresses !== undefined && this.alive && !this.connected) this.client.use(addresses);
  }
}
