import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import {
  always,
  type BackendFixture,
  conformanceCases,
  describeBackendConformance,
  FaultyBackend,
  mutexModes,
  planConformance,
  runConformance,
} from '../../lib/conformance/index.js';
import { memoryFixture } from '../support/memory.fixture.js';
import { IdleClock } from '../support/idle-clock.js';

const SHARED = 'readers share the key, and a writer waits for all of them';
const SECOND = 'a second claim waits, whichever client it comes from, and is in once the first has left';

describe('the conformance suite', () => {
  it('runs every case of a mutex in every mode that makes one', () => {
    const modes = mutexModes.map(({ name }) => name);
    for (const { slots, taken, mode } of mutexModes) {
      assert.equal(slots - taken, 1);
      assert.equal(typeof mode === 'object' ? mode.limit : 1, slots);
    }
    // As claims, exclusive and a limit of 1 are the same.
    const expected = { claims: ['exclusive', 'limit 5, 4 taken'], locks: modes };
    assert.deepEqual(modes, ['exclusive', 'limit 1', 'limit 5, 4 taken']);
    const titles = new Map<string, string[]>();
    for (const { part, name, title } of conformanceCases) {
      const key = `${part}: ${name}`;
      titles.set(key, [...(titles.get(key) ?? []), title]);
    }
    for (const { part, name, title } of conformanceCases) {
      const inModes = title === name ? [name] : expected[part].map((mode) => `${name} [${mode}]`);
      assert.deepEqual(titles.get(`${part}: ${name}`), inModes);
    }
  });

  it('registers with the runner that it is given, each case under its name', () => {
    const registered = register(fixture());
    assert.deepEqual(
      registered.map(({ name }) => name),
      planConformance(fixture()).map(({ title }) => title),
    );
    assert.ok(registered.every(({ timeoutMs }) => timeoutMs! > 10_000));
  });

  it('shows a skipped case by name and reason, and does not run it', async () => {
    const skip = [{ test: SHARED, reason: 'nobody reads' }];
    const connect = (): never => assert.fail('it was run');
    const [registered, ...others] = register({ ...fixture(), connect, skip }, { only: SHARED });
    assert.equal(registered!.name, `NOT RUN (nobody reads): ${SHARED}`);
    assert.equal(others.length, 0);
    await registered!.body();
    const [result] = await runConformance({ ...fixture(), connect, skip }, { only: SHARED });
    assert.deepEqual(result, {
      part: 'claims',
      name: SHARED,
      title: SHARED,
      skipped: 'nobody reads',
      error: undefined,
    });
  });

  it('refuses a skip without a reason, a skip of nothing and a selection of nothing', () => {
    const skipping = (test: string | RegExp, reason: string) => () =>
      register({ ...fixture(), skip: [{ test, reason }] });
    assert.throws(skipping(SHARED, ' '), /without a reason/);
    assert.throws(skipping('a case that was renamed', 'because'), /no case has that name/);
    assert.throws(skipping(/renamed/, 'because'), /no case has that name/);
    assert.throws(() => register(fixture(), { only: /renamed/ }), /no case has the name/);
  });

  it('tells what is wrong, in the runner and without one', async () => {
    const broken = { ...fixture(), connect: () => new FaultyBackend(memoryFixture().connect() as FaultyBackend) };
    const { name, body } = register(broken, { only: SECOND })[0]!;
    assert.equal(name, `${SECOND} [exclusive]`);
    await assert.rejects(body(), /should wait behind 1, and is in/);
    const results = await runConformance(broken, { only: SECOND });
    assert.equal(results.length, 2);
    for (const { error } of results) assert.match(String(error), /should wait behind/);
  });

  it('ends in bounded time when the backend does not answer', async () => {
    const clock = new IdleClock();
    const plan = always(['attempt', 'withdraw', 'inspect'], 'hang');
    const connect = async (): Promise<FaultyBackend> =>
      new FaultyBackend(await memoryFixture('hanging', { clock }).connect(), { plan, clock });
    const [planned] = planConformance({ name: 'hanging', connect, clock }, { only: SHARED });
    const startedAt = clock.now();
    await assert.rejects(planned!.run(), /had not ended after/);
    assert.ok(clock.now() - startedAt <= planned!.limitMs);
  });
});

interface Registered {
  readonly name: string;
  readonly body: () => Promise<void>;
  readonly timeoutMs: number | undefined;
}

function register(...[of, selection]: Parameters<typeof describeBackendConformance>): Registered[] {
  const registered: Registered[] = [];
  describeBackendConformance(of, {
    ...selection,
    describe: (_, body) => body(),
    it: (name, body, timeoutMs) => registered.push({ name, body, timeoutMs }),
  });
  return registered;
}

function fixture(): BackendFixture {
  return memoryFixture('memory', { clock: new IdleClock() });
}
