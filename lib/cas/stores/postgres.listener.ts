import { inTime, longerEachTime, pause } from './in-time.js';
import { giveBack, type PostgresCommands } from './postgres.commands.js';
import { type PostgresTable } from './postgres.table.js';
import { type Watchers } from './watchers.js';

const PROBE_EVERY_MS = 5_000;
const PROBE = 'probe ';

/**
 * Hears what is notified, on one connection that is kept for it, and made anew when it is lost.
 *
 * It is believed to hear when it has heard itself: behind a pooler that gives each transaction another connection, LISTEN
 * succeeds and nothing is ever heard, and a connection may be dead for long before anybody says so.
 */
export class PostgresListener {
  private readonly ending = new AbortController();
  /** Of the connection now. */
  private attempt = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly commands: PostgresCommands,
    private readonly table: PostgresTable,
    private readonly watchers: Watchers,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.ending.abort();
    this.attempt.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    for (let failures = 0; !signal.aborted; failures += 1) {
      this.attempt = new AbortController();
      try {
        await this.listen(() => (failures = 0));
      } catch {
        // Those who wait look for themselves, and are told what is wrong.
      }
      this.watchers.hears(false);
      await pause(longerEachTime(failures), signal);
    }
  }

  /** Until the connection is lost, or deaf. */
  private async listen(heard: () => void): Promise<void> {
    const { attempt } = this;
    const client = await this.commands.borrow();
    const probes = new Map<string, () => void>();
    for (const event of ['error', 'end']) client.once(event, () => attempt.abort());
    const lost = new Promise<never>((_, reject) => {
      const over = (): void => reject(new Error('the connection is lost, or not wanted any more'));
      attempt.signal.addEventListener('abort', over);
      if (attempt.signal.aborted) over();
    });
    lost.catch(() => undefined);
    client.on('notification', ({ payload = '' }) => {
      if (payload.startsWith(PROBE)) probes.get(payload)?.();
      else this.watchers.tell(payload);
    });
    try {
      const listening = client.query(`LISTEN "${this.table.channel}"`);
      await Promise.race([lost, inTime(listening, this.commands.timeoutMs, 'no answer to LISTEN')]);
      while (!attempt.signal.aborted) {
        await this.probe(probes, lost);
        this.watchers.hears(true);
        heard();
        await pause(PROBE_EVERY_MS, attempt.signal);
      }
    } finally {
      // Behind a pooler, the connection of the server outlives ours.
      const unlistening = client.query(`UNLISTEN "${this.table.channel}"`);
      await inTime(unlistening, this.commands.timeoutMs, 'no answer to UNLISTEN').catch(() => undefined);
      giveBack(client, false);
    }
  }

  /** By another connection: one that tells itself hears that even where it hears nobody else. */
  private async probe(probes: Map<string, () => void>, lost: Promise<never>): Promise<void> {
    const payload = `${PROBE}${Math.random()}`;
    try {
      const echo = new Promise<void>((resolve) => probes.set(payload, resolve));
      await Promise.race([lost, this.commands.run(this.table.notify(payload))]);
      await inTime(Promise.race([lost, echo]), this.commands.timeoutMs, 'nothing was heard');
    } finally {
      probes.delete(payload);
    }
  }
}
