import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type CrowdReport, type CrowdTerms } from '../measure/crowd.js';
import { type Turn } from '../measure/free-keys.js';

/** How long the monotonic clock has run that all processes of a machine share. */
export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What a process of its own can be told to do. All of it can be sent from one process to another. */
export interface Part {
  /** Connects; again, if it was connected. */
  open(name: string, url: string): Promise<void>;
  /** Each of so many callers acquires a key of its own so often, and releases it. */
  locksInTurn(name: string, callers: number, locks: number): Promise<Turn>;
  crowd(name: string, terms: CrowdTerms): Promise<CrowdReport>;
  /** Acquires, and keeps it. */
  hold(name: string, key: string): Promise<void>;
  /** Releases what it keeps. Resolves to when it began to. */
  letGo(name: string, key: string): Promise<number>;
  /** Waits for the key, and lets it go. Resolves to when it had it. */
  take(name: string, key: string): Promise<number>;
  /** Acquires so many keys. Resolves to how many bytes of heap each takes. */
  holdMany(name: string, keys: number): Promise<number>;
  /** Has so many callers wait for keys that are held elsewhere. */
  waitMany(name: string, keys: number, callers: number): Promise<Footprint>;
  /** How many timers exist for so many more callers that wait. */
  countTimers(name: string, keys: number, callers: number): Promise<number>;
  /** Does nothing but what it has to. Resolves to the processor time that took. */
  idle(forMs: number): Promise<number>;
}

export interface Footprint {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

export interface Order {
  readonly number: number;
  readonly verb: keyof Part;
  readonly args: readonly unknown[];
}

export interface Answer {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

interface Open {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Another process, with locks of its own. */
export class Actor {
  /** What it is told to do, and what it says to that. */
  readonly does = new Proxy({} as Part, {
    get:
      (_, verb: keyof Part) =>
      (...args: unknown[]) =>
        this.ask(verb, args),
  });
  private readonly open = new Map<number, Open>();
  private orders = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ number, value, error }: Answer) => {
      const open = this.open.get(number);
      this.open.delete(number);
      if (error === undefined) open?.resolve(value);
      else open?.reject(new Error(error));
    });
    child.on('exit', (code) => {
      for (const { reject } of this.open.values()) reject(new Error(`a process of the bench ended with ${code}`));
    });
  }

  static async start(): Promise<Actor> {
    const child = fork(join(import.meta.dirname, 'actor.process.ts'));
    const actor = new Actor(child);
    await actor.does.idle(0);
    return actor;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }

  private ask(verb: keyof Part, args: readonly unknown[]): Promise<unknown> {
    const number = (this.orders += 1);
    return new Promise((resolve, reject) => {
      this.open.set(number, { resolve, reject });
      this.child.send({ number, verb, args } satisfies Order);
    });
  }
}
