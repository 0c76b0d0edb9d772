import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { conformanceCases, runConformance } from '../../lib/conformance/index.js';
import { brokenFixture } from '../support/broken/broken-backend.js';
import { mistakes } from '../support/broken/mistakes.js';

const contract = new Set(conformanceCases.filter(({ part }) => part === 'claims').map(({ name }) => name));

describe('the conformance suite fails a backend in which', () => {
  const caughtSomething = new Set<string>();

  it.each(mistakes)(
    '$name',
    async (mistake) => {
      const { caughtBy } = mistake;
      assert.ok(
        caughtBy.some((name) => contract.has(name)),
        'the contract itself should catch it, without the core',
      );
      const only = caughtBy.every((name) => contract.has(name)) ? { only: /^claims: / } : {};
      const results = await runConformance(brokenFixture(mistake), only);
      const failed = new Set(results.filter(({ error }) => error !== undefined).map(({ name }) => name));
      for (const name of failed) caughtSomething.add(name);
      const missedBy = caughtBy.filter((name) => !failed.has(name));
      assert.deepEqual(missedBy, [], `these should have failed; these did: ${[...failed].join('; ')}`);
    },
    60_000,
  );

  it('(and no case of the contract is one that nothing can fail)', () => {
    assert.deepEqual(
      [...contract].filter((name) => !caughtSomething.has(name)),
      [],
    );
  });
});
