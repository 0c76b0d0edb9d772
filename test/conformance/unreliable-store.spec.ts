import { CasBackend, MemoryStore } from '../../lib/cas/index.js';
import { type BackendFixture, describeBackendConformance, seededChance } from '../../lib/conformance/index.js';
import { IdleClock } from '../support/idle-clock.js';
import { keysOf } from '../support/memory.fixture.js';
import { UnreliableStore } from '../support/unreliable.store.js';

for (const seed of [1, 2, 3]) describeBackendConformance(onUnreliableStore(seed));

function onUnreliableStore(seed: number): BackendFixture {
  const clock = new IdleClock();
  const store = new MemoryStore();
  const chance = seededChance(seed);
  return {
    name: `compare-and-swap on a store that conflicts, delays and loses replies, seed ${seed}`,
    connect: () => new CasBackend({ store: new UnreliableStore(store, clock, chance() * 2 ** 32) }, { clock }),
    residue: () => keysOf({ list: () => store.list('') }),
    clock,
    mayReject: true,
    skip: [
      { test: /is woken|ends no other/, reason: 'half of the changes are told to nobody' },
      {
        test: 'releasing is done once, however often it is asked for, and frees nobody else',
        reason: 'a withdrawal whose reply is lost is made again',
      },
    ],
  };
}
