import { SessionEndedError } from './zookeeper.errors.js';
import { type ZooKeeperSettings } from './zookeeper.options.js';
import { type SessionPorts } from './zookeeper.ports.js';
import { ZooKeeperSession } from './zookeeper.session.js';

/**
 * The server ends a session with one transaction that names all its nodes. One of more than a megabyte takes the whole
 * ensemble down (ZOOKEEPER-4306), and a name may have three kilobytes; most have a hundred bytes. After a lost connection
 * the driver names all that it watches in one request, and the server hangs up at one of more than a megabyte.
 */
const MOST_BYTES_PER_SESSION = 500_000;

/** The sessions of one backend: one, as long as that has room. */
export class ZooKeeperSessions {
  private readonly sessions = new Set<ZooKeeperSession>();
  private opening: Promise<void> | undefined;
  private closed = false;

  constructor(
    readonly settings: ZooKeeperSettings,
    private readonly ports: SessionPorts,
    private readonly mostBytes = MOST_BYTES_PER_SESSION,
  ) {}

  /** A session with room for a node whose path has so many bytes, which are taken, and a watch as long. It is connected, or about to be. */
  async take(bytes: number): Promise<ZooKeeperSession> {
    for (;;) {
      if (this.closed) throw new SessionEndedError('the backend is closed');
      for (const session of this.sessions) {
        if (!session.alive || session.load + bytes > this.mostBytes) continue;
        session.nodeBytes += bytes;
        return session;
      }
      this.opening ??= this.open().finally(() => (this.opening = undefined));
      await this.opening;
    }
  }

  /** For reading, however full it is. */
  async any(): Promise<ZooKeeperSession> {
    return [...this.sessions].find((session) => session.alive) ?? this.take(0);
  }

  freed(session: ZooKeeperSession, bytes: number): void {
    session.nodeBytes -= bytes;
    // The first one stays, for the next lock, unless it watches too much for callers who are gone.
    const [first] = this.sessions;
    const stays = session === first && session.load < this.mostBytes / 2;
    if (session.nodeBytes <= 0 && !stays) session.end(new SessionEndedError('no longer needed'));
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.opening?.catch(() => undefined);
    const why = new SessionEndedError('the backend is closed');
    await Promise.all([...this.sessions].map((session) => session.leave(why)));
  }

  private async open(): Promise<void> {
    const session = await ZooKeeperSession.open(this.settings, this.ports);
    if (this.closed) session.end(new SessionEndedError('the backend is closed'));
    this.sessions.add(session);
    void session.over.then(() => this.sessions.delete(session));
  }
}
