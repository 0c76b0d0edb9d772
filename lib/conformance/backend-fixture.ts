import { type LockBackend } from '../core/backend.js';
import { type Clock } from '../core/clock.js';

/**
 * What the conformance suite needs to know of a backend. All it must have is a name and a way to connect; what it leaves
 * out has a default that asks more of the backend, not less.
 */
export interface BackendFixture {
  /** Names the suite in the report. */
  readonly name: string;

  /**
   * One more client of the one store that all clients of this fixture share, as independent of the others as another
   * process would be. Nobody else uses that store (give it a prefix or a database of its own). The suite closes it.
   */
  connect(): LockBackend | Promise<LockBackend>;

  /**
   * For a backend whose claims live as long as a session does: its client falls silent without a goodbye, as if its
   * process were stopped, until the function that this resolves to is called. Not needed where the lease of a claim ends
   * unless that claim itself is asked about or renewed: there, not asking is silence.
   */
  silence?(backend: LockBackend): Promise<() => Promise<void>>;

  /**
   * How many things are left in the store, whatever they are: records, nodes, queues, subscriptions. 0 once nobody wants
   * anything. What makes fencing tokens rise over empty lines does not count. Without it, only the lines of the keys that
   * a case used are looked at.
   */
  residue?(): number | Promise<number>;

  /**
   * A lease that the store keeps well enough on a busy machine, in milliseconds; many cases wait for one to end.
   * 500 where it is not given.
   */
  readonly leaseMs?: number;

  /** Calls may reject with an outcome that is not known. The suite then asks again, as the core would; else a case fails. */
  readonly mayReject?: boolean;

  /** Time, for a simulated store. The clock of the machine where it is not given. */
  readonly clock?: Clock;

  /** Cases that cannot apply, each with its reason. They are listed in the report by name. */
  readonly skip?: readonly SkippedTest[];
}

/** Cases that a backend does not run, and why. */
export interface SkippedTest {
  /** The name of one case, or an expression that the full titles of some match. It must match at least one. */
  readonly test: string | RegExp;
  readonly reason: string;
}
