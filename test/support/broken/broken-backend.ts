import {
  type Claim,
  type ClaimRequest,
  type Held,
  type LockBackend,
  type Place,
  type Standing,
} from '../../../lib/core/backend.js';
import { type Clock } from '../../../lib/core/clock.js';
import { MemoryBackend } from '../../../lib/memory/index.js';
import { type BackendFixture } from '../../../lib/conformance/index.js';
import { keysOf } from '../memory.fixture.js';
import { IdleClock } from '../idle-clock.js';

/** What a mistake can get hold of: a sound store, and its clock. */
export interface Sound {
  readonly store: MemoryBackend;
  readonly clock: Clock;
}

/** What a mistake changes of a sound backend. What it leaves out stays as it is. */
export interface Changes {
  /** What the store is asked for, instead of what was asked. */
  request?(request: ClaimRequest): ClaimRequest;
  /** What a claim does instead. `claim` is that of the store. */
  claim?(claim: Claim, request: ClaimRequest): Partial<Claim>;
  /** What is said of a standing. */
  standing?(standing: Standing, request: ClaimRequest): Standing;
  inspect?(places: readonly Place[], key: string): readonly Place[] | Promise<readonly Place[]>;
  list?(prefix: string): AsyncIterable<string>;
  evict?(key: string, id: string): Promise<boolean>;
  /** What is left in the store besides. */
  residue?(): number;
}

/** A mistake that a backend could have, and who must notice. */
export interface Mistake {
  readonly name: string;
  /** Names of cases each of which fails because of it, in at least one of its modes. */
  readonly caughtBy: readonly string[];
  /** Once for the store that all clients share. */
  changes(sound: Sound): Changes;
  /** Every client has a store of its own. */
  readonly apart?: boolean;
}

/** A sound backend with one mistake, in virtual time. */
export function brokenFixture({ name, changes, apart = false }: Mistake): BackendFixture {
  const clock = new IdleClock();
  const make = (): { store: MemoryBackend; changed: Changes } => {
    const store = new MemoryBackend({ clock });
    return { store, changed: changes({ store, clock }) };
  };
  const shared = make();
  return {
    name,
    connect: () => {
      const { store, changed } = apart ? make() : shared;
      return new BrokenBackend(store, changed);
    },
    residue: async () => (await keysOf(shared.store)) + (shared.changed.residue?.() ?? 0),
    clock,
  };
}

class BrokenBackend implements LockBackend {
  readonly name = 'broken';

  constructor(
    private readonly store: MemoryBackend,
    private readonly changes: Changes,
  ) {}

  claim(request: ClaimRequest): Claim {
    const { changes, store } = this;
    const sound = store.claim(changes.request?.(request) ?? request);
    const claim = { ...sound, ...changes.claim?.(sound, request) };
    const say = (standing: Standing): Standing => changes.standing?.(standing, request) ?? standing;
    return {
      ...claim,
      attempt: async (options) => say(await claim.attempt(options)),
      watch: (wake) => claim.watch!((standing) => wake(standing && say(standing))),
    };
  }

  async inspect(key: string): Promise<readonly Place[]> {
    const request = { key, id: 'inspect', slots: 1, leaseMs: 1 };
    const places = await this.store.inspect(this.changes.request?.(request).key ?? key);
    return this.changes.inspect?.(places, key) ?? places;
  }

  list({ prefix = '' }: { readonly prefix?: string } = {}): AsyncIterable<string> {
    return this.changes.list?.(prefix) ?? this.store.list({ prefix });
  }

  evict(key: string, id: string): Promise<boolean> {
    const request = { key, id, slots: 1, leaseMs: 1 };
    return this.changes.evict?.(key, id) ?? this.store.evict(this.changes.request?.(request).key ?? key, id);
  }
}

/** Whether a claim of the store is in, as far as the store can tell without being changed. */
export async function isHeld({ store }: Sound, { key, id }: ClaimRequest): Promise<boolean> {
  return (await store.inspect(key)).some((place) => place.id === id && place.held);
}

/** Takes a claim out of the store, whosever it is. */
export async function evict({ store }: Sound, key: string, id: string): Promise<boolean> {
  return store.claim({ key, id, slots: 1, leaseMs: 1 }).withdraw();
}

/** A lie: with a place that is right, so that nothing but the lie is wrong. */
export async function admitted({ clock }: Sound, waiting: number): Promise<Held> {
  return { held: true, place: BigInt(Math.floor(clock.wall() * 1_000) + 500), leaseMs: 10_000, waiting };
}
