import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ContextId, ContextIdFactory, type HostComponentInfo } from '@nestjs/core';
import { describeOnRedis, redisInstalled, type SomeRedis, someRedis } from '../support/redis-installed.js';
import { Cell, type EntryPoint } from './cell.js';
import { entries } from './entries/index.js';
import { observe, type Observation, refused } from './observe.js';
import { cellName, cells, type EntryPointName, entryPoints, impossible } from './table.js';
import { orders, type ScopeName, scopes } from './table.js';
import { KEY } from './workshop.js';

const ran = new Set<string>();
let redis: SomeRedis | undefined;

beforeAll(async () => {
  if (redisInstalled) redis = await someRedis();
  // One tenant, whose durable providers live as long as the application.
  const tenant = ContextIdFactory.create();
  ContextIdFactory.apply({
    attach: (contextId: ContextId) => ({
      resolve: (info: HostComponentInfo) => (info.isTreeDurable ? tenant : contextId),
      payload: { tenant: 'one' },
    }),
  });
});

afterAll(() => redis?.stop());

for (const name of entryPoints) {
  const entryPoint = entries[name];
  (entryPoint.needsRedis ? describeOnRedis : describe)(name, () => {
    for (const scope of scopes) {
      const reason = impossible[name][scope];
      if (reason === undefined) describe(scope, () => isLocked(name, scope, entryPoint));
      else describe(`${scope}, which cannot be: ${reason}`, () => isNotCalled(scope, entryPoint));
    }
  });
}

/** How many instances two calls meet. */
const WORKERS: Record<ScopeName, number> = { singleton: 1, REQUEST: 2, TRANSIENT: 2, durable: 1 };

function isLocked(name: EntryPointName, scope: ScopeName, entryPoint: EntryPoint): void {
  let without: Observation;

  beforeAll(async () => {
    without = await observe(entryPoint, new Cell(scope, undefined), redis?.url ?? '');
  });

  it('two are in at once without @Locked', () => {
    expect(without.most).toBeGreaterThan(1);
    expect(without.sights).toEqual([undefined, undefined]);
    expect(without.workers).toBe(entryPoint.workers?.[scope] ?? WORKERS[scope]);
    expect(without.tag).toBe('kept');
    expect(inspect([without.answers, without.errors], { depth: 9 })).toContain(entryPoint.shows ?? 'mine');
  });

  it.each(orders)('one by one with @Locked %s the other decorators, and all else the same', async (order) => {
    const locked = await observe(entryPoint, new Cell(scope, order), redis?.url ?? '');
    const sight = { key: KEY, fencingToken: expect.any(BigInt) as unknown, held: true, aborted: false };
    expect(locked).toEqual({ ...without, most: 1, sights: [sight, sight] });
    expect(locked.sights[1]!.fencingToken).toBeGreaterThan(locked.sights[0]!.fencingToken);
    ran.add(cellName(name, scope, order));
  });
}

function isNotCalled(scope: ScopeName, entryPoint: EntryPoint): void {
  it.each([undefined, ...orders])('with @Locked %s', async (order) => {
    expect(await refused(entryPoint, new Cell(scope, order), redis?.url ?? '')).not.toEqual([]);
  });
}

describe('the table', () => {
  it('has every cell: each ran, or is listed with the reason why it cannot be', () => {
    const accounted = cells.filter(([name, scope, order]) => {
      const skipped = entries[name].needsRedis && !redisInstalled;
      return ran.has(cellName(name, scope, order)) || impossible[name][scope] !== undefined || skipped;
    });
    expect(accounted.map((cell) => cellName(...cell))).toEqual(cells.map((cell) => cellName(...cell)));
    expect(Object.keys(entries).toSorted()).toEqual(entryPoints.toSorted());
  });
});
