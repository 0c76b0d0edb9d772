import { NotKnownError, SessionEndedError } from './zookeeper.errors.js';
import { addressesOf } from './zookeeper.addresses.js';
import { type ZooKeeperSettings } from './zookeeper.options.js';
import { type SessionPorts, ZooKeeperSession } from './zookeeper.session.js';

/**
 * The server ends a session with one transaction that names all its nodes. One of more than a megabyte takes the whole
 * ensemble down (ZOOKEEPER-4306), and a name may have three kilobytes; most have a hundred bytes.
 */
const MOST_BYTES_PER_SESSION = 500_000;

/** The sessions of one backend: one, as long as that has room. */
export class ZooKeeperSessions {
  private readonly sessions = new Set<ZooKeeperSession>();
  private readonly load = new Map<ZooKeeperSession, number>();
  private opening: Promise<ZooKeeperSession> | undefined;
  private closed = false;

  constructor(
    readonly settings: ZooKeeperSettings,
    private readonly ports: SessionPorts,
    private readonly mostBytes = MOST_BYTES_PER_SESSION,
  ) {}

  /** A session with room for a node of such a name, connected or about to be. */
  async withRoom(bytes = 0): Promise<ZooKeeperSession> {
    if (this.closed) throw new SessionEndedError('the backend is closed');
    for (const session of this.sessions) {
      if (session.alive && (this.load.get(session) ?? 0) + bytes <= this.mostBytes) return session;
    }
    this.opening ??= this.open().finally(() => (this.opening = undefined));
    return this.opening;
  }

  get size(): number {
    return this.sessions.size;
  }

  taken(session: ZooKeeperSession, bytes: number): void {
    this.load.set(session, (this.load.get(session) ?? 0) + bytes);
  }

  freed(session: ZooKeeperSession, bytes: number): void {
    const left = (this.load.get(session) ?? 0) - bytes;
    this.load.set(session, left);
    // The first one stays, for the next lock.
    const [first] = this.sessions;
    if (left <= 0 && session !== first) session.end(new SessionEndedError('no longer needed'));
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.opening?.catch(() => undefined);
    const open = [...this.sessions];
    for (const session of open) session.end(new SessionEndedError('the backend is closed'));
    await Promise.all(open.map(({ over }) => over));
  }

  private async open(): Promise<ZooKeeperSession> {
    const addresses = await addressesOf(this.settings.servers, Math.min(4_000, this.settings.sessionTimeoutMs));
    if (this.closed) throw new NotKnownError('the backend is closed');
    const session = new ZooKeeperSession(this.settings, this.ports, addresses);
    this.sessions.add(session);
    void session.over.then(() => {
      this.sessions.delete(session);
      this.load.delete(session);
    });
    return session;
  }
}
