import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(180_000);

const MODELS = join(import.meta.dirname, '../../model');
const spinInstalled = spawnSync('spin', ['-V']).status === 0;
const describeWithSpin = spinInstalled
  ? describe
  : (name: string, tests: () => void): void => describe.skip(`${name} (not run: install spin)`, tests);

/** How many states SPIN saw, and how many assertions did not hold. */
interface Verdict {
  readonly states: number;
  readonly errors: number;
}

describeWithSpin('the model', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-model-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function check(model: string, ...defined: readonly string[]): Verdict {
    const run = (command: string, ...args: string[]): string =>
      execFileSync(command, args, {
        cwd: folder,
        encoding: 'utf8',
        timeout: 150_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    run('spin', '-a', ...defined.map((name) => `-D${name}`), join(MODELS, model));
    run('cc', '-w', '-O1', '-DSAFETY', '-o', 'pan', 'pan.c');
    // It is no error that the run comes to an end.
    const said = run(join(folder, 'pan'), '-E', '-m200000');
    expect(said).not.toContain('max search depth too small');
    const number = (pattern: RegExp): number => Number(pattern.exec(said)![1]);
    return { states: number(/(\d+) states, stored/), errors: number(/errors: (\d+)/) };
  }

  it.each([
    { model: 'exclusion.pml', holds: 'no two believe at once, and the dead hold up nobody', checks: ['ALIVE'] },
    { model: 'fencing.pml', holds: 'writes follow the order of grants, and none is lost', checks: ['P2', 'SUM'] },
  ])('$model: $holds', ({ model, checks }) => {
    const { states, errors } = check(model, ...checks);
    expect(errors).toBe(0);
    // What nobody explored is not shown.
    expect(states).toBeGreaterThan(100_000);
  });

  it.each([
    ['exclusion.pml', 'LEASE_FROM_REPLY'],
    ['exclusion.pml', 'NO_MARGIN'],
    ['exclusion.pml', 'HAND_OFF_LEASE_FROM_ARRIVAL'],
    ['exclusion.pml', 'HAND_OFF_OF_AN_EARLIER_STAY'],
    ['exclusion.pml', 'RELEASE_OF_ANYBODY'],
    ['exclusion.pml', 'HAND_OFF_TO_THE_DEAD', 'ALIVE'],
    ['fencing.pml', 'NO_FENCING', 'P2'],
    ['fencing.pml', 'COUNTER_RESET', 'P2'],
    ['fencing.pml', 'FENCE_FOR_WRITES_ONLY', 'SUM'],
    ['fencing.pml', 'HANDED_OVER_WITH_ITS_TOKEN', 'SUM'],
  ])('%s with the mistake %s is found wrong', (model, ...defined) => {
    expect(check(model, ...defined).errors).toBe(1);
  });

  it('a resource that lets everybody read keeps the order of writes, and loses one all the same', () => {
    expect(check('fencing.pml', 'FENCE_FOR_WRITES_ONLY', 'P2').errors).toBe(0);
  });
});
