import assert from 'node:assert/strict';
import { type LockBackend } from '../core/backend.js';
import { LockBackendError, LockUnavailableError } from '../core/errors.js';
import { type Lock } from '../core/lock.js';
import { type Keys, LockManager } from '../core/lock-manager.js';
import { type AcquireOptions, type LockManagerOptions } from '../core/options.js';
import { seededChance } from './chance.js';
import { type FaultPlan, noFaults } from './fault-plan.js';
import { FaultyBackend } from './faulty-backend.js';
import { Trial } from './trial.js';

/** A lock manager between which and its backend a case can put faults. */
export interface FaultyNode {
  readonly manager: LockManager;
  readonly faults: FaultyBackend;
  /** What is behind the faults. */
  readonly backend: LockBackend;
  /** From now on no call of it gets through, until the function that this resolves to is called. */
  cutOff(): Promise<() => Promise<void>>;
}

/** A trial of what the core makes of the backend: lock managers, each on a client of its own, as processes are. */
export class LockTrial extends Trial {
  private readonly managers: LockManager[] = [];

  /** A lock manager on a client of its own, or on the one that is given. */
  async manager(options: Partial<LockManagerOptions> = {}): Promise<LockManager> {
    const backend = options.backend ?? (await this.open());
    const random = { id: () => this.newName('manager'), fraction: seededChance(this.managers.length) };
    const { patienceMs } = this;
    const defaults = { leaseMs: 8 * this.leaseMs, waitMs: this.limitMs, drainMs: patienceMs };
    const manager = new LockManager({ ...defaults, ...options, backend }, { clock: this.clock, random });
    this.managers.push(manager);
    return manager;
  }

  async faultyNode(options: Partial<LockManagerOptions> = {}, plan: FaultPlan = noFaults): Promise<FaultyNode> {
    const backend = await this.open();
    const faults = new FaultyBackend(backend, { plan, clock: this.clock });
    const manager = await this.manager({ ...options, backend: faults });
    const cutOff = async (): Promise<() => Promise<void>> => {
      const before = faults.plan;
      faults.plan = () => 'fail';
      const speak = await this.silence(backend);
      return async () => {
        await speak();
        faults.plan = before;
      };
    };
    return { manager, faults, backend, cutOff };
  }

  /** Tries the key, in the mode of this run. null: it is taken. */
  async tries(manager: LockManager, keys: Keys, options: AcquireOptions = {}): Promise<Lock | null> {
    const { answer } = await this.ask(() => manager.tryAcquire(keys, { mode: this.mutex.mode, ...options }));
    return answer;
  }

  /** Tries the key, in the mode of this run, and must get it at once; soon, where calls may reject and are then repeated. */
  async getsInAtOnce(manager: LockManager, keys: Keys, options?: AcquireOptions): Promise<Lock> {
    const deadline = this.now() + (this.fixture.mayReject === true ? this.patienceMs : 0);
    for (;;) {
      const lock = await this.tries(manager, keys, options);
      if (lock !== null) return lock;
      assert.ok(this.now() < deadline, `${JSON.stringify(keys)} should be free`);
      await this.sleep(10);
    }
  }

  /** Tries the key, in the mode of this run, and must be refused. */
  async isRefused(manager: LockManager, keys: Keys, options?: AcquireOptions): Promise<void> {
    assert.equal(await this.tries(manager, keys, options), null, `${JSON.stringify(keys)} should be taken`);
  }

  /** An acquisition that must be told that the key is taken. */
  async isUnavailable(acquire: () => Promise<unknown>): Promise<void> {
    for (;;) {
      const error = await rejectionOf(acquire());
      if (this.fixture.mayReject === true && error instanceof LockBackendError) continue;
      return assertKind(error, LockUnavailableError);
    }
  }

  /** An acquisition that must be told that the backend could not be asked. */
  async couldNotAsk(acquiring: Promise<unknown>): Promise<void> {
    assertKind(await rejectionOf(acquiring), LockBackendError);
  }

  /** Releases a lock that must have been held until now. Not known, where the call may reject. */
  async releases(lock: Lock): Promise<void> {
    const held = await lock.release();
    if (this.fixture.mayReject !== true) assert.equal(held, true, `whether ${lock.key} was held until it was released`);
  }

  protected override async goAway(): Promise<void> {
    await super.goAway();
    for (const manager of this.managers) {
      const { backend } = manager;
      if (backend instanceof FaultyBackend) backend.plan = noFaults;
      await manager.close();
    }
  }
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail('it should have been rejected'),
    (error: unknown) => error,
  );
}

function assertKind(error: unknown, kind: new (...args: never[]) => Error): void {
  assert.ok(error instanceof kind, `${kind.name} was expected, and not: ${String(error)}`);
}
