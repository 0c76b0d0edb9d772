import { describe, expect, it } from '@jest/globals';
import { type Moment, momentOf } from '../../lib/core/moment.js';
import { SessionProof, SIGNS_PER_TIMEOUT } from '../../lib/zookeeper/zookeeper.proof.js';
import { seededChance } from '../../lib/conformance/index.js';
import { VirtualClock } from '../core/virtual-clock.js';

const TIMEOUT = 16_000;
const SIGN = TIMEOUT / SIGNS_PER_TIMEOUT;

/** All instants but `sent` are true time. */
interface Call {
  readonly sent: Moment;
  readonly sentAt: number;
  readonly heardAt: number;
  readonly answeredAt: number;
}

/**
 * A client, a follower that answers it, and a leader that hears of the client when the follower tells it who is alive. The
 * follower may fall silent after any answer: so each answer that a lease is given on is held against what the leader knew then.
 */
class World {
  leases = 0;
  refused = 0;
  /** The most that a lease outlasted the session by. */
  overlapMs = -Infinity;
  private readonly clock = new VirtualClock();
  private readonly proof = new SessionProof(this.clock, TIMEOUT, momentOf(this.clock));
  private readonly firstTellAt: number;
  private readonly open: Call[] = [];
  private readonly heard: number[] = [];
  private time = 0;

  constructor(
    private readonly random: () => number,
    private readonly halfTick: number,
  ) {
    this.firstTellAt = -random() * halfTick;
  }

  run(calls: number): void {
    for (let each = 0; each < calls; each += 1) {
      this.send();
      const stalls = this.random() < 0.03;
      const gapMs = stalls ? this.random() * TIMEOUT : SIGN * (0.2 + this.random());
      if (stalls && this.random() < 0.5) this.sleep(gapMs);
      else this.pass(gapMs);
    }
  }

  private send(): void {
    const latest = this.open.at(-1);
    const slow = this.random() < 0.05 ? TIMEOUT / 3 : SIGN / 2;
    const heardAt = Math.max(this.time + this.random() ** 4 * slow, this.heard.at(-1) ?? 0);
    const answeredAt = Math.max(heardAt + this.random() ** 4 * slow, latest?.answeredAt ?? 0);
    this.heard.push(heardAt);
    this.open.push({ sent: momentOf(this.clock), sentAt: this.time, heardAt, answeredAt });
  }

  private pass(ms: number): void {
    const end = this.time + ms;
    for (let call = this.open[0]; call !== undefined && call.answeredAt <= end; call = this.open[0]) {
      this.open.shift();
      this.stall(Math.max(0, call.answeredAt - this.time));
      this.proof.answered(call.sent);
      this.believe(call);
    }
    this.stall(end - this.time);
  }

  /** Answers wait until the machine wakes up. */
  private sleep(ms: number): void {
    this.clock.sleep(ms);
    this.time += ms;
  }

  private stall(ms: number): void {
    this.clock.stall(ms);
    this.time += ms;
  }

  private believe({ sentAt, heardAt }: Call): void {
    if (this.proof.sound) {
      this.leases += 1;
      this.overlapMs = Math.max(this.overlapMs, sentAt + this.proof.leaseMs - this.sessionEnd(heardAt));
    } else {
      this.refused += 1;
    }
  }

  /** By what the follower has told the leader before it passed on what it heard then. */
  private sessionEnd(lastHeardAt: number): number {
    let touchedAt = 0;
    for (let toldAt = this.firstTellAt; toldAt <= lastHeardAt; toldAt += this.halfTick) {
      if (this.heard.some((at) => at > toldAt - this.halfTick && at <= toldAt)) touchedAt = toldAt;
    }
    return touchedAt + TIMEOUT;
  }
}

describe('a lease on ZooKeeper', () => {
  it.each([2, 3, 5, 10])(
    'ends before the session, whenever the follower falls silent, %i ticks to a timeout',
    (ticks) => {
      let leases = 0;
      let refused = 0;
      for (let seed = 1; seed <= 300; seed += 1) {
        const world = new World(seededChance(seed), TIMEOUT / ticks / 2);
        world.run(60);
        expect({ seed, early: world.overlapMs <= 0 }).toEqual({ seed, early: true });
        leases += world.leases;
        refused += world.refused;
      }
      // Neither all nor none: then nothing would have been tried.
      expect(leases).toBeGreaterThan(refused);
      expect(refused).toBeGreaterThan(100);
    },
  );
});
