import { type Acl, type Done, type DriverHandle, type Stat } from './zookeeper.driver.js';
import { NODE_EXISTS, NO_NODE, NotKnownError, OK, refusal, unanswered } from './zookeeper.errors.js';
import { type ZooKeeperSettings } from './zookeeper.options.js';
import { type SessionPorts } from './zookeeper.ports.js';

const ANY_VERSION = -1;
const PERSISTENT = 0;
const EPHEMERAL_SEQUENTIAL = 3;
const CONTAINER = 4;
const ALL_RIGHTS = 31;

export interface ClientListeners {
  connected(): void;
  disconnected(): void;
  /** The server has ended the session, or refused it. */
  closed(code: number): void;
  // A watch has fired, and watches no longer.
  deleted(path: string): void;
  changed(path: string): void;
  child(path: string): void;
}

export interface Children {
  readonly names: readonly string[];
  readonly stat: Stat;
}

/**
 * The driver, behind what can be done with it without harm. It ends the process, loses sessions or goes deaf when
 *
 * - `close` is called while it delivers watches: so it never is;
 * - a handle is initialised twice: so one object is one session;
 * - an ACL that is not there is read, or a callback is missing: no such call is made;
 * - watches have functions of their own, which also leak: so all are default watches, which are events;
 * - an answer comes in more than ten pieces: so `response_counter_limit` is as high as it goes;
 * - it resolves names of hosts, which it does after every answer, or its connection ends in any way but in order: so the
 *   server that it is given is a relay of ours;
 * - a socket is opened while it tells of a lost connection: it still listens to the number of its own, which is closed, and
 *   which the new one has. So whatever it tells is passed on once it has returned, after all that it has told before.
 *
 * It never answers what is asked of a closed session, nor what it is asked while it is deaf: `fail` rejects what is open.
 */
export class ZooKeeperClient {
  private readonly handle: DriverHandle;
  private readonly open = new Set<(error: Error) => void>();
  /** What it has told, and nobody knows yet. */
  private told: (() => void)[] = [];
  private ended: Error | undefined;

  /** Begins to connect to the relay. */
  constructor(
    private readonly ports: Pick<SessionPorts, 'openDriver' | 'nextTurn'>,
    private readonly settings: ZooKeeperSettings,
    relay: string,
    listeners: ClientListeners,
  ) {
    const handle = ports.openDriver();
    this.handle = handle;
    const tell = (listener: () => void): void => this.passOn(() => void (this.ended === undefined && listener()));
    handle.on('connect', () => tell(() => listeners.connected()));
    handle.on('connecting', () => tell(() => listeners.disconnected()));
    handle.on('close', (_client, code) => tell(() => listeners.closed(code)));
    for (const event of ['deleted', 'changed', 'child'] as const) {
      handle.on(event, (_client, path) => tell(() => listeners[event](path)));
    }
    handle.init({
      connect: relay,
      timeout: settings.sessionTimeoutMs,
      debug_level: 0,
      host_order_deterministic: false,
      response_counter_limit: 2 ** 31 - 1,
    });
    if (settings.auth !== undefined) handle.add_auth('digest', settings.auth(), () => undefined);
  }

  get sessionId(): string {
    return this.handle.client_id;
  }

  get timeoutMs(): number {
    return this.handle.timeout;
  }

  // Reads, from the server that the client is connected to.

  async stat(path: string): Promise<Stat | undefined> {
    const [stat] = await this.ask<[Stat | null]>([OK, NO_NODE], (done) => this.handle.a_exists(path, false, done));
    return stat ?? undefined;
  }

  async read(path: string): Promise<{ readonly stat: Stat; readonly data: string } | undefined> {
    type Values = [Stat | null, Buffer | null];
    const [stat, data] = await this.ask<Values>([OK, NO_NODE], (done) => this.handle.a_get(path, false, done));
    return stat === null ? undefined : { stat, data: data?.toString() ?? '' };
  }

  /** false: there is no such node, and so no watch. Reading does not leave one behind then, as asking for existence would. */
  async watch(path: string): Promise<boolean> {
    type Values = [Stat | null, Buffer | null];
    const [stat] = await this.ask<Values>([OK, NO_NODE], (done) => this.handle.a_get(path, true, done));
    return stat !== null;
  }

  async children(path: string, { watch = false } = {}): Promise<Children | undefined> {
    type Values = [string[] | null, Stat | null];
    const [names, stat] = await this.ask<Values>([OK, NO_NODE], (done) =>
      this.handle.a_get_children2(path, watch, done),
    );
    // A copy: the driver's arrays are of the realm that it was loaded in, and all that is made of them would be, too.
    return names === null || stat === null ? undefined : { names: [...names], stat };
  }

  // What the leader has a part in.

  /** The path with its sequence; undefined: the parent is missing. */
  async createClaim(prefix: string, data: string): Promise<string | undefined> {
    const [path, code] = await this.create(prefix, data, EPHEMERAL_SEQUENTIAL, [OK, NO_NODE]);
    return code === OK ? path : undefined;
  }

  /** false: the parent is missing. */
  async createLine(path: string): Promise<boolean> {
    const [, code] = await this.create(path, '', CONTAINER, [OK, NODE_EXISTS, NO_NODE]);
    return code !== NO_NODE;
  }

  /** false: the parent is missing. */
  async createPersistent(path: string): Promise<boolean> {
    const [, code] = await this.create(path, '', PERSISTENT, [OK, NODE_EXISTS, NO_NODE]);
    return code !== NO_NODE;
  }

  /** For whoever gave `auth` alone. The driver makes nodes that are open to all, so this goes out right behind. */
  async protect(path: string): Promise<void> {
    const acl: readonly Acl[] = [{ perms: ALL_RIGHTS, scheme: 'auth', auth: '' }];
    await this.ask([OK, NO_NODE], (done) => this.handle.a_set_acl(path, ANY_VERSION, acl, done));
  }

  /** false: there was no such node. */
  async remove(path: string): Promise<boolean> {
    // oxlint-disable-next-line no-underscore-dangle -- the driver's name
    const [code] = await this.codeOf([OK, NO_NODE], (done) => this.handle.a_delete_(path, ANY_VERSION, done));
    return code === OK;
  }

  /** Whatever the leader has done is seen by the reads that follow; and the leader still knows the session. */
  async sync(): Promise<void> {
    await this.ask([OK, NO_NODE], (done) => this.handle.a_sync(this.settings.root, done));
  }

  /** Nothing is answered from now on. */
  fail(why: Error): void {
    this.ended ??= why;
    for (const reject of [...this.open]) reject(why);
  }

  /** The driver lets go. If it is connected, it holds up the event loop until it is answered, for 1.5 s at most. */
  close(): void {
    this.handle.close();
  }

  private async create(
    path: string,
    data: string,
    flags: number,
    answers: readonly number[],
  ): Promise<[string, number]> {
    const [code, made] = await this.codeOf<[string]>(answers, (done) => this.handle.a_create(path, data, flags, done));
    return [made, code];
  }

  private async ask<Values extends unknown[]>(
    answers: readonly number[],
    send: (done: Done<Values>) => number,
  ): Promise<Values> {
    const [, ...values] = await this.codeOf<Values>(answers, send);
    return values;
  }

  /** Rejects with NotKnownError, SessionEndedError, or the server's refusal. Sends at once. */
  private codeOf<Values extends unknown[] = []>(
    answers: readonly number[],
    send: (done: Done<Values>) => number,
  ): Promise<[number, ...Values]> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended);
      const settle = (act: () => void): void => {
        if (this.open.delete(reject)) act();
      };
      this.open.add(reject);
      const sent = send((code, text, ...values) => {
        const trouble = answers.includes(code)
          ? undefined
          : (unanswered(code, text) ?? refusal(code, this.settings.root));
        this.passOn(() => settle(() => (trouble === undefined ? resolve([code, ...values]) : reject(trouble))));
      });
      // Then the callback never comes.
      if (sent !== OK) {
        const trouble = unanswered(sent, 'not sent') ?? new NotKnownError(`not sent (${sent})`);
        settle(() => reject(trouble));
      }
    });
  }

  private passOn(tell: () => void): void {
    this.told.push(tell);
    if (this.told.length > 1) return;
    this.ports.nextTurn(() => {
      const { told } = this;
      this.told = [];
      for (const each of told) each();
    });
  }
}
