import { type DriverConfig, type DriverHandle, type Done, type Stat } from '../../../lib/zookeeper/zookeeper.driver.js';
import { type Answer, type Request } from './member.js';
import { type SimulatedRelay } from './relay.js';
import { type Way } from './wire.js';

const CONNECTION_LOSS = -4;
const CLOSING = -116;
const EXPIRED = -112;
const INVALID_STATE = -9;
const SENT = 0;
const RECONNECTS_AFTER_MS = 20;

type Event = 'connect' | 'connecting' | 'close' | 'deleted' | 'changed' | 'child';
type Listener = (client: unknown, told: never) => void;
type Settle = (answer: Answer) => void;

/** Behaves as the driver does: one session, which it keeps over connections, and what it watches. */
export class SimulatedDriver implements DriverHandle {
  client_id = '';
  timeout = 0;
  private relay: SimulatedRelay | undefined;
  private readonly listeners = new Map<Event, Listener>();
  /** What was asked, and not yet answered. */
  private asked: { readonly request: Request; readonly settle: Settle }[] = [];
  private readonly watched = new Set<string>();
  private readonly watchedLines = new Set<string>();
  private connected = false;
  private closed = false;
  private zxid = 0;

  constructor(
    private readonly way: Way,
    private readonly relayAt: (address: string) => SimulatedRelay,
  ) {}

  on(event: Event, listener: Listener): void {
    this.listeners.set(event, listener);
  }

  init({ connect, timeout }: DriverConfig): void {
    this.relay = this.relayAt(connect);
    this.timeout = timeout;
    this.connect();
  }

  add_auth(): number {
    throw new Error('nobody gives auth here');
  }

  a_set_acl(): number {
    throw new Error('nobody gives auth here');
  }

  a_create(path: string, data: string, flags: number, done: Done<[path: string]>): number {
    return this.ask({ kind: 'create', path, data, flags }, ({ code, path: made = '' }) => done(code, '', made));
  }

  a_delete_(path: string, _version: number, done: Done): number {
    return this.ask({ kind: 'delete', path }, ({ code }) => done(code, ''));
  }

  a_exists(path: string, _watch: boolean, done: Done<[stat: Stat | null]>): number {
    return this.ask({ kind: 'exists', path }, ({ code, stat = null }) => done(code, '', stat));
  }

  a_get(path: string, watch: boolean, done: Done<[stat: Stat | null, data: Buffer | null]>): number {
    return this.ask({ kind: 'get', path, watch }, ({ code, stat = null, data }) => {
      if (watch && stat !== null) this.watched.add(path);
      done(code, '', stat, data === undefined ? null : Buffer.from(data));
    });
  }

  a_get_children2(path: string, watch: boolean, done: Done<[names: string[] | null, stat: Stat | null]>): number {
    return this.ask({ kind: 'children', path, watch }, ({ code, names, stat = null }) => {
      if (watch && stat !== null) this.watchedLines.add(path);
      done(code, '', names === undefined ? null : [...names], stat);
    });
  }

  a_sync(path: string, done: Done<[path: string]>): number {
    return this.ask({ kind: 'sync' }, ({ code }) => done(code, '', path));
  }

  close(): void {
    this.end(CLOSING, 0);
  }

  private ask(request: Request, settle: Settle): number {
    if (this.closed) return INVALID_STATE;
    this.asked.push({ request, settle });
    if (this.connected) this.relay!.send(request);
    return SENT;
  }

  private connect(): void {
    if (this.closed) return;
    const hello = { session: this.client_id, timeoutMs: this.timeout, zxid: this.zxid };
    this.relay!.connect(hello, {
      greeted: (session, timeoutMs) => this.greeted(session, timeoutMs),
      answered: (answer, zxid) => {
        this.zxid = Math.max(this.zxid, zxid);
        this.asked.shift()?.settle(answer);
      },
      deleted: (path) => {
        if (this.watched.delete(path)) this.tell('deleted', path);
      },
      child: (path) => {
        if (this.watchedLines.delete(path)) this.tell('child', path);
      },
      lost: () => this.lost(),
    });
  }

  private greeted(session: string | undefined, timeoutMs: number): void {
    if (session === undefined) return this.end(CLOSING, EXPIRED);
    this.client_id = session;
    this.timeout = timeoutMs;
    this.connected = true;
    // What was asked meanwhile goes out now, behind what is watched.
    if (this.watched.size + this.watchedLines.size > 0) {
      const request = { kind: 'watch again', paths: [...this.watched], lines: [...this.watchedLines] } as const;
      this.asked.unshift({ request, settle: () => undefined });
    }
    for (const { request } of this.asked) this.relay!.send(request);
    this.tell('connect', undefined);
  }

  private lost(): void {
    if (this.closed) return;
    if (this.connected) this.tell('connecting', undefined);
    this.connected = false;
    this.fail(CONNECTION_LOSS);
    this.way.clock.alarm(RECONNECTS_AFTER_MS, () => this.connect());
  }

  private end(code: number, why: number): void {
    if (this.closed) return;
    this.closed = true;
    this.connected = false;
    this.fail(code);
    this.tell('close', why);
  }

  private fail(code: number): void {
    const { asked } = this;
    this.asked = [];
    for (const { settle } of asked) settle({ code });
  }

  private tell(event: Event, told: unknown): void {
    this.listeners.get(event)?.(this, told as never);
  }
}
