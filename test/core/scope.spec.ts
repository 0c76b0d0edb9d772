import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { type Lock } from '../../lib/core/index.js';
import { currentScope, Scope } from '../../lib/core/scope.js';
import { settled } from './virtual-clock.js';
import { World } from './world.js';

const GENERATIONS = 2_000;

/** How many scopes the one that this runs in keeps alive, itself included. Asking it for them would tidy them up. */
function keptScopes(): number {
  let count = 0;
  const isScope = (value: unknown): value is Scope => value instanceof Scope;
  for (let scope = currentScope(); scope !== undefined; scope = Object.values(scope).find(isScope)) count += 1;
  return count;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('the scopes that a scope keeps alive', () => {
  it('are those of the locks around it', async () => {
    const { locks } = new World().process();
    expect(await locks.run('a', () => locks.run('b', () => keptScopes()))).toBe(2);
  });

  it.each([
    { when: 'once it has ended', kept: 1, body: async (next: () => void) => void setImmediate(next) },
    { when: 'while it runs', kept: 2, body: async (next: () => void) => settled().then(next).then(settled) },
  ])('stay few in a job that starts its own next run $when and does not await it', async ({ kept, body }) => {
    const { locks } = new World().process();
    let most = 0;
    await new Promise<void>((resolve, reject) => {
      const start = (generation: number): void => {
        if (generation > GENERATIONS) return resolve();
        const running = locks.run(`job ${generation}`, () => {
          most = Math.max(most, keptScopes());
          return body(() => start(generation + 1));
        });
        running.catch(reject);
      };
      start(1);
    });
    expect(most).toBe(kept);
  });

  it('do not keep the locks of those that ended', async () => {
    const { locks } = new World().process();
    const ended: WeakRef<Lock>[] = [];
    const kept = await new Promise<number>((resolve, reject) => {
      const start = (generation: number): void => {
        const running = locks.run('job', async (lock) => {
          if (generation < 100) {
            ended.push(new WeakRef(lock));
            setImmediate(() => start(generation + 1));
            return;
          }
          await settled();
          collectGarbage();
          resolve(ended.filter((each) => each.deref() !== undefined).length);
        });
        running.catch(reject);
      };
      start(1);
    });
    expect(kept).toBeLessThan(5);
  });
});
