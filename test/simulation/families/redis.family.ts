import { RedisBackend } from '../../../lib/redis/index.js';
import { loadScripts } from '../../../lib/redis/redis.scripts.js';
import { type Nature } from '../world/nature.js';
import { type Network } from '../world/network.js';
import { RedisConnections, type Way } from '../redis/redis-connection.js';
import { RedisServer, type Scripts } from '../redis/redis-server.js';
import { COMMON_FAULTS, type Family, type Store } from './family.js';

/** What may befall one server in one run. Tokens rise over a failover as long as clocks are together, so not both. */
const TROUBLES = ['none', 'none', 'failover', 'clock', 'scripts'] as const;

/** Redis: the real backend and the real scripts, over a server with a clock of its own, a replica, and messages. */
export function redisFamily(scripts: Scripts = loadScripts({ cluster: false })): Family {
  return {
    name: 'redis',
    drift: 0.0099,
    faults: [...COMMON_FAULTS, 'failover', 'begun anew', 'clock of the store set', 'scripts flushed'],
    latenciesMs: [0, 1, 1, 5, 30],
    slower: 20,
    leasesMs: [300, 500, 1_000, 5_000],
    pace: 1,
    open: (nature) => new SimulatedRedis(nature, scripts),
  };
}

class SimulatedRedis implements Store {
  private readonly server: RedisServer;
  /** Makes each client notice, as soon as its process runs, that its connections are broken. */
  private readonly clients: (() => void)[] = [];
  private readonly trouble: (typeof TROUBLES)[number];
  private clockIsAheadMs = 0;
  private downUntil = 0;

  constructor(
    private readonly nature: Nature,
    scripts: Scripts,
  ) {
    this.trouble = nature.dice.oneOf(...TROUBLES);
    const clock = (): number => 1_800_000_000_000 + nature.simulation.time + this.clockIsAheadMs;
    // A client takes it for a server in trouble, and asks again: nobody would notice that hardly anything works.
    this.server = new RedisServer(clock, scripts, (error) => nature.history.record('broke', { text: String(error) }));
  }

  connect({ machine: clock, network, random }: Parameters<Store['connect']>[0]): RedisBackend {
    const way = this.wayOf(network);
    const link = (listeners: ConstructorParameters<typeof RedisConnections>[3]): RedisConnections => {
      const connections = new RedisConnections(this.server, clock, way, listeners);
      this.clients.push(() => clock.whenAwake(() => connections.breaks()));
      return connections;
    };
    return new RedisBackend({ url: 'redis://simulated' }, { clock, random, link });
  }

  strike(): void {
    const { dice, history, simulation } = this.nature;
    if (this.trouble === 'clock') {
      this.clockIsAheadMs += dice.oneOf(-2_000, -200, 200, 2_000);
      history.record('fault', { fault: 'clock of the store set' });
    }
    if (this.trouble === 'scripts') {
      this.server.flushScripts();
      history.record('fault', { fault: 'scripts flushed' });
    }
    if (this.trouble === 'failover') {
      this.server.replicate();
      const takesOverAt = simulation.time + dice.oneOf(0, 10, 100);
      if (!dice.chance(0.3)) {
        simulation.at(takesOverAt, () => this.goesOn('failover', () => this.server.failOver()));
        return;
      }
      // It is back before the replica has noticed, which then takes over with what was before.
      simulation.at(takesOverAt, () => this.goesOn('begun anew', () => this.server.beginAnew()));
      const afterMs = dice.oneOf(100, 300, 1_000);
      simulation.at(takesOverAt + afterMs, () => this.goesOn('failover', () => this.server.failOver()));
    }
  }

  residue(): number {
    return this.server.keys().filter((key) => !key.endsWith('}:last')).length;
  }

  /** Whoever was connected to it finds it gone, and for a while nobody in its place. */
  private goesOn(fault: 'failover' | 'begun anew', how: () => void): void {
    const { dice, history, simulation } = this.nature;
    how();
    this.downUntil = simulation.time + dice.oneOf(0, 50, 300);
    history.record('fault', { fault });
    for (const breaks of this.clients) breaks();
  }

  private wayOf(network: Network): Way {
    const isUp = (): boolean => this.nature.simulation.time >= this.downUntil;
    return {
      get open() {
        return isUp() && !network.isCut;
      },
      ask: (execute, asking) => network.ask(execute, asking),
      tell: (hear) => network.tell(hear),
    };
  }
}
