import { setInterval } from 'node:timers';
import { type Lock, type LockEvent, LockManager } from '../../lib/index.js';
import { type Address, openBackend } from './backend-address.js';

/** A process that takes a lock and lets it go when its parent says so, and tells how the lock looks meanwhile. */
export interface Ownership {
  readonly address: Address;
  readonly key: string;
  readonly leaseMs?: number;
}

export type OwnerSays =
  | { readonly type: 'ready' }
  | { readonly type: 'acquired'; readonly token: string }
  | { readonly type: 'released'; readonly held: boolean }
  | { readonly type: 'event'; readonly event: LockEvent['type'] }
  | { readonly type: 'aborted'; readonly at: number }
  | Look;

export interface Look {
  readonly type: 'look';
  /** When it began to look, in ms of the monotonic clock that all processes share. */
  readonly from: number;
  readonly wall: number;
  readonly held: boolean;
  readonly aborted: boolean;
}

const { address, key, ...options } = JSON.parse(process.argv[2]!) as Ownership;
const manager = new LockManager({ backend: await openBackend(address), waitMs: 60_000, ...options });
let lock: Lock | undefined;

manager.subscribe(({ type }) => say({ type: 'event', event: type }));
setInterval(() => {
  const from = Number(process.hrtime.bigint()) / 1e6;
  if (lock !== undefined) {
    say({ type: 'look', from, wall: Date.now(), held: lock.held, aborted: lock.signal.aborted });
  }
}, 10);
process.on('message', (order) => void (order === 'acquire' ? acquire() : release()));
process.on('disconnect', () => process.exit());
say({ type: 'ready' });

async function acquire(): Promise<void> {
  lock = await manager.acquire(key);
  lock.signal.addEventListener('abort', () => say({ type: 'aborted', at: Number(process.hrtime.bigint()) / 1e6 }));
  say({ type: 'acquired', token: String(lock.fencingToken) });
}

async function release(): Promise<void> {
  const released = lock!;
  lock = undefined;
  say({ type: 'released', held: await released.release() });
}

function say(what: OwnerSays): void {
  process.send!(what);
}
