import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLockError, type Lock, LockLostError, LockManager } from '../../lib/core/index.js';
import { seededChance } from '../../lib/conformance/chance.js';
import { openBackend } from '../support/backend-address.js';
import { type Entry, monotonicMs } from './history.js';
import { ResourceClient } from './resource.js';
import { type Order, type Work, type WorkerSays } from './work.js';

/** A process whose callers want a few keys over and over, and write to what the keys guard. */
const work = JSON.parse(process.argv[2]!) as Work;
const { name, keys, leaseMs } = work;
const file = openSync(work.history, 'a');
const chance = seededChance(work.seed);
const resource = await ResourceClient.connect(work.resourcePort);
const manager = new LockManager({ backend: await openBackend(work.address), leaseMs, drainMs: 1_000 });
const holdOf = new Map<string, HoldRecord>();
let holds = 0;
const settling = new AbortController();

/** What this process believes about one lock, as it writes it down. */
class HoldRecord {
  readonly id = `${name}/${(holds += 1)}`;
  private readonly signal: AbortSignal;
  private until: number;
  /** When the lease ends, unless it is renewed. Not known while the lock is in doubt, where nothing is lost. */
  private leaseEnd: number;
  private turnsLate = 0;
  private over = false;

  constructor(
    private readonly lock: Lock,
    askedAt: number,
  ) {
    this.signal = lock.signal;
    const until = this.believedUntil();
    this.until = until?.earliest ?? monotonicMs();
    this.leaseEnd = until?.latest ?? Infinity;
    const { key } = lock;
    const token = String(lock.fencingToken);
    write({ type: 'granted', hold: this.id, key, token, askedAt, at: monotonicMs(), until: this.until });
    if (this.signal.aborted) this.lost();
    else this.signal.addEventListener('abort', () => this.lost(), { once: true });
  }

  /** After a renewal. */
  look(): void {
    const until = this.believedUntil();
    this.leaseEnd = until?.latest ?? Infinity;
    if (this.over || until === undefined || until.earliest < this.until + 1) return;
    this.until = until.earliest;
    write({ type: 'kept', hold: this.id, until: this.until });
  }

  /** Does not ask the lock, for that would tell it. */
  turn(): void {
    if (monotonicMs() > this.leaseEnd + 5 && !this.signal.aborted && !this.over) this.turnsLate += 1;
  }

  end(how: string): void {
    if (this.over) return;
    this.over = true;
    write({ type: 'ended', hold: this.id, at: monotonicMs(), how, turnsLate: this.turnsLate });
  }

  private lost(): void {
    const { reason } = this.signal as { reason: unknown };
    this.end(reason instanceof LockLostError ? reason.reason : String(reason));
  }

  /** The clock is read before and after the lock is, for this process may be stopped in between. */
  private believedUntil(): { readonly earliest: number; readonly latest: number } | undefined {
    const before = monotonicMs();
    const { remainingMs } = this.lock;
    return remainingMs > 0 ? { earliest: before + remainingMs, latest: monotonicMs() + remainingMs } : undefined;
  }
}

manager.subscribe(({ type, key }) => {
  if (type === 'renewed') holdOf.get(key)?.look();
});
comeRound();
process.on('disconnect', () => process.exit());
process.on('message', (order) => obey(order as Order));
say('ready');

const visit = work.locks ? visitLocked : visitUnlocked;
await Promise.all(Array.from({ length: work.callers }, () => wantKeysOverAndOver()));
await manager.close();
resource.close();
say('settled');

/**
 * At most once in each turn of the event loop, behind the timers that are due in it. An interval may ring twice in a row
 * before another timer that is due in between, where the process was stopped as it rang: about once in 4,000 stops.
 */
function comeRound(): void {
  holdOf.forEach((hold) => hold.turn());
  setTimeout(() => setImmediate(comeRound), 10);
}

function obey(order: Order): void {
  if (order.type === 'settle') settling.abort();
  else for (const until = monotonicMs() + order.forMs; monotonicMs() < until;);
}

async function wantKeysOverAndOver(): Promise<void> {
  while (!settling.signal.aborted) {
    await visit(keys[Math.floor(chance() * keys.length)]!, 3_000);
    await sleep(chance() * 2 * work.pauseMs);
  }
  for (const key of keys) while (!(await visit(key, 30_000))) await sleep(50);
}

async function visitLocked(key: string, waitMs: number): Promise<boolean> {
  const askedAt = monotonicMs();
  let lock: Lock;
  try {
    lock = await manager.acquire(key, { waitMs });
  } catch (error) {
    write({ type: 'failed', at: askedAt, key, code: isLockError(error) ? error.code : String(error) });
    await sleep(50);
    return false;
  }
  const hold = new HoldRecord(lock, askedAt);
  holdOf.set(key, hold);
  try {
    await addOne(key, hold.id, lock);
  } finally {
    hold.end('released');
    holdOf.delete(key);
    await lock.release();
  }
  return true;
}

async function visitUnlocked(key: string): Promise<boolean> {
  holds += 1;
  await addOne(key, `${name}/${holds}`, { held: true, fencingToken: 0n });
  return true;
}

/** Reads the counter, and later writes one more. Some look at the lock in between, and who does not may write too late. */
async function addOne(key: string, hold: string, lock: Pick<Lock, 'held' | 'fencingToken'>): Promise<void> {
  const value = await resource.read(key, hold, lock.fencingToken);
  if (value === undefined) return;
  await sleep(workMs());
  if (work.looks && chance() < 0.5 && !lock.held) return;
  const written = await resource.write(key, hold, lock.fencingToken, value + 1);
  if (written !== undefined && work.locks) write({ type: 'confirmed', hold, value: written });
}

/** Mostly short; now and then so long that the lock has to be renewed, once or more often. */
function workMs(): number {
  const kind = chance();
  if (settling.signal.aborted || kind < 0.92) return chance() * 10;
  return chance() * leaseMs * (kind < 0.98 ? 0.5 : 2.5);
}

function write(entry: Entry): void {
  writeSync(file, `${JSON.stringify(entry)}\n`);
}

function say(what: WorkerSays): void {
  process.send!(what);
}
