import { type Moment, momentOf } from '../../../lib/core/moment.js';
import { type Relay, type RelayTerms } from '../../../lib/zookeeper/zookeeper.ports.js';
import { type Ensemble } from './ensemble.js';
import { type Hello, type Request } from './member.js';
import { type DriverEnd, type Way, Wire } from './wire.js';

const RETRY_MS = 50;
const PATIENCE_PER_TIMEOUT = 1 / 3;

/** Behaves as `ZooKeeperRelay` does: greets one server after the other, and leaves one that says nothing for long. */
export class SimulatedRelay implements Relay {
  private greeted: Moment;
  private current: Wire | undefined;
  /** Since when the driver has its connection. */
  private since = Infinity;
  private closed = false;

  constructor(
    private readonly ensemble: Ensemble,
    private readonly way: Way,
    private readonly terms: RelayTerms,
    private readonly address: string,
    private next: number,
  ) {
    this.greeted = momentOf(way.clock);
  }

  get greetedAt(): Moment {
    return this.greeted;
  }

  get heardAt(): number {
    return Math.max(this.since, this.current?.heardAt ?? 0);
  }

  async open(): Promise<string> {
    return this.address;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.current?.send({ kind: 'goodbye' });
    this.current?.leave();
  }

  cut(): void {
    this.since = Infinity;
  }

  /** The driver has connected. It is told that the connection is lost when no server can be had for a while. */
  connect(hello: Hello, driver: DriverEnd): void {
    const { clock } = this.way;
    this.since = clock.now();
    const until = clock.now() + this.patienceMs;
    const lost = (): void => {
      this.since = Infinity;
      driver.lost();
    };
    const attempt = (): void => {
      if (this.closed) return;
      if (clock.now() >= until) return lost();
      const { members } = this.ensemble;
      const member = members[this.next++ % members.length]!;
      this.greeted = momentOf(clock);
      let welcome = false;
      const wire: Wire = new Wire(this.way, member, {
        ...driver,
        greeted: (session, timeoutMs) => {
          welcome = true;
          late.cancel();
          this.listen(wire);
          driver.greeted(session, timeoutMs);
        },
        lost: () => {
          late.cancel();
          if (welcome) lost();
          else clock.alarm(RETRY_MS, attempt);
        },
      });
      this.current = wire;
      const late = clock.alarm(until - clock.now(), () => wire.lose());
      wire.open(hello);
    };
    attempt();
  }

  /** What the driver sends. */
  send(request: Request): void {
    this.current?.send(request);
  }

  private get patienceMs(): number {
    return this.terms.timeoutMs() * PATIENCE_PER_TIMEOUT;
  }

  /** A server that says nothing for long is left. So that one that has nothing to say is not, the driver says something. */
  private listen(wire: Wire): void {
    const { clock } = this.way;
    const look = (): void => {
      if (wire.over) return;
      const silentMs = clock.now() - wire.heardAt;
      if (silentMs >= this.patienceMs) return wire.lose();
      if (silentMs >= this.patienceMs / 2) wire.send({ kind: 'ping' });
      clock.alarm(this.patienceMs / 2, look);
    };
    clock.alarm(this.patienceMs / 2, look);
  }
}
