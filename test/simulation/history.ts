import { createHash } from 'node:crypto';
import { type LossReason, type Standing } from '../../lib/core/index.js';
import { type Simulation } from './kernel/simulation.js';

export type Call = 'attempt' | 'renew' | 'withdraw';

/** What can happen to a process, on its way to the store, and to the store. */
export type Fault =
  | 'stall'
  | 'doze'
  | 'sleep'
  | 'wall clock set'
  | 'crash'
  | 'cut'
  | 'slow'
  | 'reply lost'
  | 'not sent'
  | 'never answered'
  | 'swallowed'
  | 'done twice'
  | 'done late'
  | 'message lost'
  | 'message late'
  | 'failover'
  | 'begun anew'
  | 'clock of the store set'
  | 'scripts flushed'
  | 'election'
  | 'server lost'
  | 'server cut off'
  | 'server late'
  | 'session ended'
  | 'session moved'
  | 'line collected';

/** `now` is the monotonic clock of the process. */
interface Happenings {
  /** A process begins to run, so far away from the store. */
  readonly started: { readonly process: string; readonly latencyMs: number };
  /** A process runs again after it was blocked or suspended. */
  readonly woke: { readonly process: string; readonly now: number };
  /** Without a process: it befalls the store, and with it all. */
  readonly fault: { readonly fault: Fault; readonly process?: string };
  /** From now on, calls arrive and are answered. */
  readonly healed: object;

  /** Somebody wants keys. Nothing befalls those who call in calm. */
  readonly asked: {
    readonly caller: string;
    readonly process: string;
    readonly keys: readonly string[];
    readonly waitMs: number;
    readonly calm: boolean;
  };
  readonly refused: {
    readonly caller: string;
    readonly code: string;
    readonly suspect: boolean;
    readonly clocksInOrder: boolean;
    readonly text: string;
  };
  /** The caller was told of its own abort so much later. */
  readonly aborted: { readonly caller: string; readonly lateMs: number };
  /** One for each key. `held` by the account of the lock, when it was had. */
  readonly given: {
    readonly caller: string;
    readonly process: string;
    readonly key: string;
    readonly slots: number;
    readonly token: bigint;
    readonly waitedMs: number;
    readonly held: boolean;
    readonly lostBy: LossReason | undefined;
    readonly clocksInOrder: boolean;
  };
  /** What a lock said of itself, and its signal before it was asked. */
  readonly looked: {
    readonly caller: string;
    readonly process: string;
    readonly key: string;
    readonly slots: number;
    readonly now: number;
    readonly held: boolean;
    readonly told: boolean;
    readonly clocksInOrder: boolean;
  };
  /** A signal aborted. */
  readonly told: {
    readonly caller: string;
    readonly process: string;
    readonly key: string;
    readonly now: number;
    readonly reason: LossReason;
  };
  /** The caller is done with its locks. */
  readonly givenBack: { readonly caller: string; readonly lost: boolean };
  /** What a resource that looks at fencing tokens made of a write. */
  readonly written: { readonly caller: string; readonly key: string; readonly accepted: boolean };
  /** Siblings that enter their lock again. */
  readonly entered: { readonly caller: string };
  readonly leftAgain: { readonly caller: string };

  /** What the core asks of a backend, and what it is answered. */
  readonly sent: ClaimCall & { readonly leaseMs: number; readonly slots: number; readonly queue: boolean };
  readonly answered: ClaimCall & {
    readonly sentAt: number;
    readonly sentNow: number;
    readonly standing?: Standing;
    readonly kept?: boolean;
  };
  readonly failed: ClaimCall;
  readonly woken: {
    readonly process: string;
    readonly claim: string;
    readonly key: string;
    readonly standing?: Standing;
  };
  readonly closed: { readonly process: string };
  /** The store has put a claim out of its line, without being asked to. `place` is the one that it had there. */
  readonly dropped: { readonly claim: string; readonly place: bigint };

  /** What is left of all in the end. */
  readonly left: { readonly where: string; readonly what: string; readonly count: number };
  /** Callers that were never answered, though their process lives. */
  readonly unsettled: { readonly caller: string };
  /** What must not be thrown, whatever happens. */
  readonly broke: { readonly text: string };
}

interface ClaimCall {
  readonly process: string;
  readonly claim: string;
  readonly key: string;
  readonly call: Call;
  readonly now: number;
}

export type Event = keyof Happenings;
type Entries = {
  readonly [E in Event]: { readonly event: E; readonly at: number; readonly step: number } & Happenings[E];
};
export type Entry<E extends Event = Event> = Entries[E];

/** All that happened in one run, in order: what oracles judge. `at` is true time. */
export class History {
  readonly entries: Entry[] = [];

  constructor(private readonly simulation: Simulation) {}

  /** True time. */
  get time(): number {
    return this.simulation.time;
  }

  record<E extends Event>(event: E, facts: Happenings[E]): void {
    const { time: at, step } = this.simulation;
    this.entries.push({ event, at, step, ...facts } as unknown as Entry);
  }
}

export function all<E extends Event>(history: readonly Entry[], ...events: readonly E[]): Entry<E>[] {
  return history.filter(({ event }) => (events as readonly Event[]).includes(event)) as Entry<E>[];
}

/** The same for the same course of events, to the step. */
export function traceHash(history: readonly Entry[]): string {
  const hash = createHash('sha256');
  for (const entry of history) hash.update(line(entry));
  return hash.digest('hex').slice(0, 16);
}

/** For people. */
export function line(entry: Entry): string {
  return JSON.stringify(entry, (_key, value: unknown) => {
    return typeof value === 'bigint' || value === Infinity ? String(value) : value;
  });
}
