import { type ZooKeeperClient } from './zookeeper.client.js';

/** What of a session is needed here. */
export interface RenewingSession {
  readonly id: string;
  readonly alive: boolean;
  readonly givenUp: boolean;
  flight<T>(send: (client: ZooKeeperClient) => Promise<T>): Promise<T>;
  signed<T>(call: Promise<T>): Promise<T>;
}

interface Renewal {
  readonly path: string;
  readonly resolve: (kept: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Renewals that are asked for in one turn of the event loop, in one flight. The leader confirms the session once for all of
 * them: a follower that has lost it would go on answering that the nodes are there.
 */
export class SessionRenewals {
  private due: Renewal[] = [];

  constructor(private readonly session: RenewingSession) {}

  renew(path: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.due.length === 0) queueMicrotask(() => void this.sendTogether());
      this.due.push({ path, resolve, reject });
    });
  }

  private async sendTogether(): Promise<void> {
    const renewals = this.due;
    this.due = [];
    const { session } = this;
    try {
      const kept = await session.flight(async (client) => {
        const synced = session.signed(client.sync());
        const stats = await Promise.all([synced, ...renewals.map(({ path }) => client.stat(path))]);
        return stats.slice(1).map((stat) => stat?.ephemeralOwner === session.id);
      });
      renewals.forEach(({ resolve }, index) => resolve(kept[index]!));
    } catch (error) {
      for (const { resolve, reject } of renewals) {
        // Of a session that this side has ended, nobody can say that it was gone before.
        if (session.alive || session.givenUp) reject(error);
        else resolve(false);
      }
    }
  }
}
