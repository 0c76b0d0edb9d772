import { type BackendFixture } from './backend-fixture.js';
import { type ConformanceSelection, type PlannedCase, planConformance } from './conformance-run.js';

/** What is asked of a test runner. Those of jest, vitest, mocha and `node:test` have it. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown;
}

/**
 * Registers the conformance suite with a test runner: the one that is given, or else the `describe` and `it` of the
 * global scope.
 *
 * A case that the fixture skips is registered as one that passes, under a name that begins with `NOT RUN` and gives the
 * reason. So every runner shows it, and a build that allows no skipped tests is not stopped by it.
 *
 * @throws when the fixture skips a case without a reason or one that is not there, or when nothing is selected.
 */
export function describeBackendConformance(
  fixture: BackendFixture,
  options: Partial<TestRunner> & ConformanceSelection = {},
): void {
  const { describe, it } = { ...(globalThis as unknown as TestRunner), ...options };
  const planned = planConformance(fixture, options);
  describe(`conformance of ${fixture.name}`, () => {
    for (const part of new Set(planned.map((each) => each.part))) {
      describe(part, () => {
        for (const each of planned) if (each.part === part) register(it, each);
      });
    }
  });
}

function register(it: TestRunner['it'], { title, skipped, limitMs, run }: PlannedCase): void {
  if (skipped !== undefined) it(`NOT RUN (${skipped}): ${title}`, async () => undefined);
  else {
    const body = function (this: { timeout?: unknown } | undefined): Promise<void> {
      // Mocha has no third argument.
      if (typeof this?.timeout === 'function') this.timeout(limitMs);
      return run();
    };
    it(title, body, limitMs);
  }
}
