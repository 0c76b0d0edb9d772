import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Answer } from '../core/answer.js';
import { type ClaimRequest, type LockBackend, type Place } from '../core/backend.js';
import { type Clock, systemClock } from '../core/clock.js';
import { isForced } from '../core/errors.js';
import { type BackendFixture } from './backend-fixture.js';
import { type CaseTimes, caseTimes } from './case-times.js';
import { Claimant } from './claimant.js';
import { type MutexMode } from './mutex-mode.js';

/** Ids and keys of one process are never those of another one that runs the suite on the same store. */
const thisRun = randomUUID().slice(0, 8);
let trials = 0;

/**
 * One run of one case: what it needs to ask of the backend, what it opened meanwhile, and the check that nothing of it
 * is left behind.
 */
export class Trial implements CaseTimes {
  readonly leaseMs: number;
  readonly patienceMs: number;
  readonly limitMs: number;
  readonly longMs: number;
  protected readonly clock: Clock;
  private readonly name = `${thisRun}-${(trials += 1)}`;
  private names = 0;
  private over = false;
  private readonly keys = new Map<string, { readonly bystanders: Set<string> }>();
  private readonly backends = new Set<LockBackend>();
  private readonly claimants: Claimant[] = [];
  private readonly silent = new Set<() => Promise<void>>();
  private observing: Promise<LockBackend> | undefined;

  constructor(
    readonly fixture: BackendFixture,
    /** How a mutex is made in this run. */
    readonly mutex: MutexMode,
  ) {
    const { leaseMs, patienceMs, limitMs, longMs } = caseTimes(fixture);
    this.leaseMs = leaseMs;
    this.patienceMs = patienceMs;
    this.limitMs = limitMs;
    this.longMs = longMs;
    this.clock = fixture.clock ?? systemClock;
  }

  // Time.

  now(): number {
    return this.clock.now();
  }

  async sleep(forMs: number): Promise<void> {
    await new Promise<void>((resolve) => void this.clock.alarm(forMs, resolve));
    if (this.over) throw new Error('the case is over');
  }

  /** Reads until it reads what is expected. What is read may lag behind, and what is waited for may take its time. */
  async settlesOn<T>(expected: T, read: () => T | Promise<T>, what: string, withinMs = this.patienceMs): Promise<void> {
    const deadline = this.now() + withinMs;
    let pauseMs = 5;
    for (let seen = await read(); !isDeepStrictEqual(seen, expected); seen = await read()) {
      if (this.now() >= deadline) assert.deepEqual(seen, expected, `${what}, ${withinMs} ms later`);
      await this.sleep(pauseMs);
      pauseMs = Math.min(100, pauseMs * 1.5);
    }
  }

  async becomesTrue(what: string, read: () => boolean | Promise<boolean>, withinMs?: number): Promise<void> {
    await this.settlesOn(true, read, what, withinMs);
  }

  /** Lets a promise run on while the case does something else. If the case fails first, nobody looks at it again. */
  meanwhile<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined);
    return promise;
  }

  // Keys.

  /** A key that nobody else uses. */
  key(): string {
    return this.ownKey(this.newName('key'));
  }

  /** A key to the letter. */
  ownKey(key: string): string {
    if (!this.keys.has(key)) this.keys.set(key, { bystanders: new Set() });
    return key;
  }

  /** A key on which the mode of this run leaves room for one. */
  async mutexKey(): Promise<string> {
    const key = this.key();
    if (this.mutex.taken === 0) return key;
    const backend = await this.connect();
    for (let taken = 0; taken < this.mutex.taken; taken += 1) {
      const bystander = this.claim(backend, key);
      await bystander.holds();
      this.keys.get(key)!.bystanders.add(bystander.id);
    }
    return key;
  }

  /** How many bystanders hold the key. */
  taken(key: string): number {
    return this.keys.get(key)?.bystanders.size ?? 0;
  }

  // The backend, directly.

  /** One more client. */
  async connect(): Promise<LockBackend> {
    const backend = await this.open();
    this.backends.add(backend);
    return backend;
  }

  async connectTwo(): Promise<[LockBackend, LockBackend]> {
    return [await this.connect(), await this.connect()];
  }

  /** A claim on a mutex of this mode, with a lease that outlasts the case, unless told otherwise. */
  claim(
    backend: LockBackend,
    key: string,
    {
      slots = this.mutex.slots,
      leaseMs = this.longMs,
      id = this.newName('claim'),
      ...facts
    }: Partial<ClaimRequest> = {},
  ): Claimant {
    const request = { ...facts, key, id, slots, leaseMs };
    const claimant = new Claimant(this, request, backend.claim(request));
    this.claimants.push(claimant);
    return claimant;
  }

  /** The client goes silent without a goodbye. Call no claim of it until the function that this resolves to was called. */
  async silence(backend: LockBackend): Promise<() => Promise<void>> {
    const speak = await this.fixture.silence?.(backend);
    const speakOnce = async (): Promise<void> => {
      if (this.silent.delete(speakOnce)) await speak?.();
    };
    this.silent.add(speakOnce);
    return speakOnce;
  }

  /** An answer. A call that rejects fails the case, unless the fixture says that calls may. */
  async ask<T>(call: () => Answer<T>): Promise<{ readonly answer: T; readonly repeated: boolean }> {
    for (let failures = 0; ; failures += 1) {
      try {
        return { answer: await call(), repeated: failures > 0 };
      } catch (error) {
        if (this.fixture.mayReject !== true || failures === 100 || isForced(error)) throw error;
        await this.sleep(5);
      }
    }
  }

  /** The key's line as a client that takes no part sees it, without those that hold it for as long as the case runs. */
  async line(key: string): Promise<readonly Place[]> {
    this.observing ??= this.connect();
    const observer = await this.observing;
    const { answer } = await this.ask(() => observer.inspect(key));
    return answer.filter(({ id }) => this.keys.get(key)?.bystanders.has(id) !== true);
  }

  /** The keys that have a line now. */
  async list(client: LockBackend, prefix?: string): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for await (const key of client.list(prefix === undefined ? {} : { prefix })) keys.add(key);
    return keys;
  }

  /** The line must come to be these claims, in this order. */
  async lineIs(key: string, ...claimants: readonly Claimant[]): Promise<void> {
    const expected = claimants.map(({ id }) => id);
    await this.settlesOn(expected, async () => (await this.line(key)).map(({ id }) => id), 'the claims in line');
  }

  /** The line must come to be so many claims, of which so many hold the key. */
  async lineHas(key: string, expected: { readonly holders: number; readonly waiters: number }): Promise<void> {
    const count = async (): Promise<typeof expected> => {
      const line = await this.line(key);
      const holders = line.filter(({ held }) => held).length;
      return { holders, waiters: line.length - holders };
    };
    await this.settlesOn(expected, count, `the line of ${JSON.stringify(key)}`);
  }

  // The end.

  /** Gives back whatever the case has, and finds nothing left. */
  async end(): Promise<void> {
    try {
      await this.goAway();
      for (const key of this.keys.keys()) {
        this.keys.set(key, { bystanders: new Set() });
        await this.lineHas(key, { holders: 0, waiters: 0 });
      }
      const { residue } = this.fixture;
      if (residue !== undefined) await this.settlesOn(0, () => residue.call(this.fixture), 'what is left in the store');
    } finally {
      this.over = true;
      await Promise.allSettled([...this.backends].map(async (backend) => backend.close?.()));
    }
  }

  protected async goAway(): Promise<void> {
    for (const speak of [...this.silent]) await speak();
    for (const claimant of this.claimants) await claimant.goesAway();
  }

  /** One more client, to be closed by whoever has opened it. */
  protected async open(): Promise<LockBackend> {
    return this.fixture.connect();
  }

  /** What no other key, id or manager is called, in this run of the suite or in another. */
  protected newName(kind: string): string {
    return `${this.name}-${kind}-${(this.names += 1)}`;
  }
}
