import {
  type BackendFixture,
  describeBackendConformance,
  FaultyBackend,
  randomFaults,
  seededChance,
} from '../../lib/conformance/index.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { TestingBackend } from '../../lib/testing/index.js';
import { keysOf, memoryFixture } from '../support/memory.fixture.js';
import { SessionBackend } from '../support/session.backend.js';
import { IdleClock } from '../support/idle-clock.js';

describeBackendConformance(memoryFixture('memory, in virtual time', { clock: new IdleClock() }));

describeBackendConformance(ofTesting());

// Every client has a network of its own between it and the store, and the suite as well as the core asks through it.
for (const seed of [1, 2, 3]) describeBackendConformance(behindFaults(seed));

describeBackendConformance(bySessions());

function ofTesting(): BackendFixture {
  const clock = new IdleClock();
  const store = new TestingBackend({ clock });
  return { name: 'that of nestjs-locked/testing', connect: () => store, residue: () => keysOf(store), clock };
}

function behindFaults(seed: number): BackendFixture {
  const clock = new IdleClock();
  const store = new MemoryBackend({ clock });
  const chance = seededChance(seed);
  const rates = { fail: 0.05, loseReply: 0.05, duplicate: 0.05, delay: 0.2, drop: 0.3 };
  return {
    name: `memory behind random faults, seed ${seed}`,
    connect: () => new FaultyBackend(store, { plan: randomFaults(chance() * 2 ** 32, rates), clock }),
    residue: () => keysOf(store),
    clock,
    mayReject: true,
    skip: [
      { test: /is woken|ends no other/, reason: 'wakes are dropped' },
      {
        test: 'releasing is done once, however often it is asked for, and frees nobody else',
        reason: 'a withdrawal whose reply is lost is made again',
      },
    ],
  };
}

function bySessions(): BackendFixture {
  const clock = new IdleClock();
  const store = new MemoryBackend({ clock });
  return {
    name: 'memory by sessions',
    connect: () => new SessionBackend(store, clock, 1_000),
    silence: async (backend) => {
      const speak = (backend as SessionBackend).silence();
      return async () => speak();
    },
    residue: () => keysOf(store),
    clock,
  };
}
