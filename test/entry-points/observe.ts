import { LockService } from 'nestjs-locked';
import { line, Log, nobody, until } from '../nest/apps.js';
import { type Cell, type Door, type EntryPoint } from './cell.js';
import { KEY, type Sight, Workshop } from './workshop.js';

/** What can be told of a cell after two have called at once, and a stranger. */
export interface Observation {
  /** How many were inside at once. */
  readonly most: number;
  /** What each saw of its lock. */
  readonly sights: readonly (Sight | undefined)[];
  /** How many instances they met. */
  readonly workers: number;
  /** What the two got, in no order: what was made, and the failure. */
  readonly answers: readonly unknown[];
  /** Whether they got the failure itself, where it could be. */
  readonly same: boolean;
  /** What was logged. */
  readonly errors: readonly unknown[];
  /** What the stranger got; undefined where there are no guards. */
  readonly refusal: unknown;
  /** What another decorator says of the method. */
  readonly tag: unknown;
}

/** Calls twice at once, and looks at what happens. */
export async function observe(entryPoint: EntryPoint, cell: Cell, redis: string): Promise<Observation> {
  const site = { workshop: new Workshop(entryPoint.failure()), log: new Log(), redis };
  const { workshop, log } = site;
  const door = await entryPoint.open(cell, site);
  let refusal: unknown;
  let answers: unknown[];
  try {
    refusal = await door.callAsStranger?.();
    if (workshop.visits > 0) throw new Error('the stranger was let in');

    const calls = [door.call(), door.call()];
    await until(() => workshop.inside > 0);
    await until(async () => workshop.inside > 1 || (await line(door.app.get(LockService), KEY)).waiters > 0);
    workshop.open();
    answers = await Promise.all(calls);
    await until(() => workshop.ended > 1);
    await until(() => isFree(door));
  } finally {
    await door.close();
  }

  const [type, method] = door.handler;
  return {
    most: workshop.most,
    sights: workshop.sights.slice(0, 2),
    workers: workshop.workers.size,
    answers: answers.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    same: [...answers, ...log.errors].some((got) => got === workshop.failure || errorIn(got) === workshop.failure),
    errors: log.errors,
    refusal,
    tag: Reflect.getMetadata('tag', Reflect.get(type.prototype, method) as object),
  };
}

function errorIn(answer: unknown): unknown {
  return (answer as { error?: unknown } | undefined)?.error;
}

/** Has a method called of which Nest says that it cannot be, and tells what whoever called, or the log, says of it. */
export async function refused(entryPoint: EntryPoint, cell: Cell, redis: string): Promise<readonly unknown[]> {
  const site = { workshop: new Workshop(entryPoint.failure()), log: new Log(), redis };
  const { workshop, log } = site;
  const door = await entryPoint.open(cell, site);
  try {
    const answer = await door.call();
    const said = (): unknown[] => [...(answer === undefined ? [] : [answer]), ...log.errors, ...log.warnings];
    await until(() => said().length > 0);
    if (workshop.visits > 0) throw new Error('it was called after all');
    return said();
  } finally {
    await door.close();
  }
}

async function isFree({ app }: Door): Promise<boolean> {
  const { holders, waiters } = await line(app.get(LockService), KEY);
  return holders === nobody.holders && waiters === nobody.waiters;
}
