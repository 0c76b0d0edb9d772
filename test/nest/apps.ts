import { afterEach } from '@jest/globals';
import { type INestApplication, type Logger, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type LineReport, LockManager } from 'nestjs-locked';

type Level = 'log' | 'warn' | 'error';

/** What an application logged, by level. */
export class Log implements Pick<Logger, Level> {
  readonly warnings: string[] = [];
  readonly errors: unknown[] = [];

  log(): void {}

  warn(message: string, context?: string): void {
    this.warnings.push(`[${context}] ${message}`);
  }

  error(error: unknown): void {
    this.errors.push(error);
  }
}

const open = new Set<INestApplication>();

afterEach(async () => {
  const all = [...open];
  open.clear();
  await Promise.all(all.map((app) => app.close()));
});

/** A real application, started, with nothing of it replaced. Closed after the test. */
export async function start(metadata: ModuleMetadata, log: Log = new Log()): Promise<INestApplication> {
  const app = await create(metadata, log);
  await app.init();
  open.add(app);
  return app;
}

/** One that is not started yet. Nobody closes it. */
export async function create(metadata: ModuleMetadata, log: Log = new Log()): Promise<INestApplication> {
  const module = await Test.createTestingModule(metadata).setLogger(log).compile();
  return module.createNestApplication({ forceCloseConnections: true });
}

/** Like `start`, and answers HTTP: the result asks it. */
export async function serve(metadata: ModuleMetadata, log: Log = new Log()): Promise<Client> {
  const app = await start(metadata, log);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return Object.assign((path: string, init?: RequestInit) => fetch(`${url}${path}`, init), { app });
}

export interface Client {
  (path: string, init?: RequestInit): Promise<Response>;
  readonly app: INestApplication;
}

/** A body that runs until it is let go. Counts who is inside. */
export class Room {
  inside = 0;
  most = 0;
  visits = 0;
  private opened: Promise<void>;
  private resolve!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => (this.resolve = resolve));
  }

  /** Whoever is inside may leave, and whoever comes later need not stay. */
  open(): void {
    this.resolve();
  }

  enter(): void {
    this.visits += 1;
    this.inside += 1;
    this.most = Math.max(this.most, this.inside);
  }

  leave(): void {
    this.inside -= 1;
  }

  async stay(): Promise<void> {
    this.enter();
    try {
      await this.opened;
    } finally {
      this.leave();
    }
  }
}

/** Yields to everything that is due, so that what could run together does. */
export async function aMoment(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Polls, patiently: the machine may be busy. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** How many hold the key, and how many wait for it, those that wait in memory included. */
export async function line(locks: LockManager, key: string): Promise<{ holders: number; waiters: number }> {
  const report: LineReport = await locks.inspect(key);
  const claims = [...report.holders, ...report.waiters];
  const behind = claims.reduce((sum, { callersBehind }) => sum + callersBehind, 0);
  return { holders: report.holders.length, waiters: report.waiters.length + behind };
}

export const nobody = { holders: 0, waiters: 0 };

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}
