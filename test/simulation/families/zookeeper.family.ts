import { type LockBackend } from '../../../lib/core/index.js';
import { readClaimName } from '../../../lib/zookeeper/zookeeper.keys.js';
import { simulatedBackend } from '../zookeeper/backend.js';
import { Ensemble } from '../zookeeper/ensemble.js';
import { type Member } from '../zookeeper/member.js';
import { type Nature } from '../world/nature.js';
import { COMMON_FAULTS, type Family, type Store } from './family.js';

/** A timeout has two ticks at least. */
const TICKS_PER_SESSION = [2, 3, 5, 10] as const;
/** How likely a server is cut off when it has just answered, and when that was the first answer for long. */
const CUT_OFF_HAVING_ANSWERED = 0.005;
const CUT_OFF_AFTER_SILENCE = 0.2;
const SILENCE_PER_SESSION = 1 / 3;
/** The rest is kept from whoever speaks over a connection. */
const NOT_ON_CONNECTIONS = ['done twice', 'message lost', 'message late'];
const TROUBLES = ['election', 'server lost', 'server late', 'server cut off', 'server cut off'] as const;

export interface ZooKeeperWorld {
  readonly sessionMs: number;
  /** How many ticks a session lasts: one of these. */
  readonly ticks: readonly number[];
  /** What befalls the ensemble. */
  readonly troubles: readonly (typeof TROUBLES)[number][];
}

/** ZooKeeper: the real backend over an ensemble of three, whose followers lag behind, fail, and lose their leader. */
export function zooKeeperFamily({
  sessionMs = 4_000,
  ticks = TICKS_PER_SESSION,
  troubles = TROUBLES,
}: Partial<ZooKeeperWorld> = {}): Family {
  return {
    name: 'zookeeper',
    drift: 0.0099,
    faults: [
      ...COMMON_FAULTS.filter((fault) => !NOT_ON_CONNECTIONS.includes(fault)),
      ...TROUBLES,
      'session ended',
      'session moved',
      'line collected',
    ],
    latenciesMs: [0, 1, 1, 5, 30],
    slower: 20,
    leasesMs: [sessionMs / 2],
    pace: 4,
    open: (nature) => new SimulatedZooKeeper(nature, { sessionMs, ticks, troubles }),
  };
}

class SimulatedZooKeeper implements Store {
  private readonly ensemble: Ensemble;
  private readonly tickMs: number;
  private readonly processes: string[] = [];
  /** A server and processes that reach each other, and nobody else. */
  private island: { readonly member: Member; readonly processes: ReadonlySet<string> } | undefined;

  constructor(
    private readonly nature: Nature,
    private readonly world: ZooKeeperWorld,
  ) {
    const { simulation: timeline, dice, history } = nature;
    const { sessionMs } = world;
    this.tickMs = sessionMs / dice.oneOf(...world.ticks);
    this.ensemble = new Ensemble({
      timeline,
      dice,
      tickMs: this.tickMs,
      hopMs: dice.oneOf(0, 1, 5),
      collectEveryMs: dice.oneOf(100, 1_000, 60_000),
      happens: (fault) => history.record('fault', { fault }),
      dropped: (path, czxid) => {
        const { id: claim } = readClaimName(path.slice(path.lastIndexOf('/') + 1))!;
        history.record('dropped', { claim, place: BigInt(czxid) });
      },
    });
    if (dice.chance(0.5)) timeline.at(dice.fraction() * sessionMs, () => this.strike());
  }

  connect({ process, machine: clock, network, random }: Parameters<Store['connect']>[0]): LockBackend {
    this.processes.push(process);
    const { dice, simulation: timeline } = this.nature;
    const { sessionMs, troubles } = this.world;
    let answeredAt = 0;
    const way = {
      timeline,
      clock,
      there: () => network.passage(),
      backMs: (member: Member) => {
        // When it is least welcome: what the server has heard, it has not told the leader yet.
        const silent = timeline.time - answeredAt > SILENCE_PER_SESSION * sessionMs;
        answeredAt = timeline.time;
        if (
          troubles.includes('server cut off') &&
          dice.chance(silent ? CUT_OFF_AFTER_SILENCE : CUT_OFF_HAVING_ANSWERED)
        ) {
          timeline.at(timeline.time + (dice.fraction() * this.tickMs) / 2, () => this.cutOff(member, process));
        }
        return network.delayMs();
      },
      reaches: (member: Member) => {
        const { island } = this;
        return island === undefined || island.processes.has(process) === (island.member === member);
      },
      whenAwake: (work: () => void) => clock.whenAwake(work),
    };
    return simulatedBackend(this.ensemble, way, { sessionMs, random });
  }

  /** Trouble does not come alone. */
  strike(): void {
    const { dice, simulation, faultyUntil } = this.nature;
    if (simulation.time >= faultyUntil) return;
    this.strikeOnce();
    simulation.at(simulation.time + this.world.sessionMs * dice.oneOf(0.3, 1, 3), () => this.strike());
  }

  residue(): number {
    return this.ensemble.residue();
  }

  private strikeOnce(): void {
    const { dice, history, simulation, faultyUntil } = this.nature;
    const { ensemble } = this;
    const member = dice.oneOf(...ensemble.members);
    const fault = dice.oneOf(...this.world.troubles);
    if (fault === 'server cut off') return this.cutOff(member);
    history.record('fault', { fault });
    const downMs = Math.min(dice.oneOf(10, 200, 1_000, 4_000), faultyUntil - simulation.time);
    const silently = dice.chance(0.3);
    if (fault === 'election') ensemble.elect({ downMs, silently, deposedMs: 0 });
    if (fault === 'server lost') ensemble.lose(member, { downMs, silently });
    if (fault === 'server late') ensemble.delay(member, dice.oneOf(20, 300, 1_000), downMs);
  }

  /** With some of the processes, this one among them. */
  private cutOff(member: Member, process?: string): void {
    const { ensemble, island, tickMs } = this;
    const { dice, simulation, faultyUntil, history } = this.nature;
    if (island !== undefined || simulation.time >= faultyUntil) return;
    history.record('fault', { fault: 'server cut off' });
    this.island = { member, processes: new Set(this.processes.filter((each) => each === process || dice.chance(0.4))) };
    const forMs = Math.min(this.world.sessionMs * dice.oneOf(0.3, 0.6, 1.5), faultyUntil - simulation.time);
    simulation.at(simulation.time + forMs, () => (this.island = undefined));
    // The others elect when they have not heard of it for as long as it goes on without hearing of them: but for a tick.
    if (member.isLeader) ensemble.elect({ downMs: 100, silently: false, deposedMs: tickMs * dice.oneOf(0.1, 0.5, 1) });
    else ensemble.cutOff(member, forMs);
  }
}
