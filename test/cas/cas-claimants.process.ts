import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { CasBackend, type CasStore } from '../../lib/cas/index.js';
import { type Claim, type LockBackend, LockManager, type LockMode } from '../../lib/core/index.js';
import { type Hold, monotonicMs } from './cas-history.js';
import { openStore, type StoreAddress } from './cas-stores.js';

/** A process with claimants of all modes, each of whom wants one key so many times. */
export interface Crowd {
  readonly address: StoreAddress;
  readonly key: string;
  readonly claimants: number;
  readonly rounds: number;
}

export interface CrowdReport {
  readonly holds: readonly (Omit<Hold, 'token' | 'slots'> & {
    readonly slots: number | null;
    readonly token: string;
  })[];
  /** Of each lock: how often the store was asked to write for it. */
  readonly writes: readonly number[];
}

const MODES: readonly [LockMode, number][] = [
  ['exclusive', 1],
  ['shared', Infinity],
  ['exclusive', 1],
  [{ limit: 3 }, 3],
];

const { address, key, claimants, rounds } = JSON.parse(process.argv[2]!) as Crowd;
const opened = openStore(address);
const counts = new AsyncLocalStorage<{ writes: number }>();
const backend = new CasBackend({ store: counting(opened.store) });
const holds: CrowdReport['holds'][number][] = [];
const writes: number[] = [];

process.on('disconnect', () => process.exit());
process.send!('ready');
process.once('message', async () => {
  await Promise.all(Array.from({ length: claimants }, (_, index) => claimant(MODES[index % MODES.length]!)));
  await opened.close();
  process.send!({ holds, writes } satisfies CrowdReport, () => process.disconnect());
});

/** Each with a manager of its own, so that none waits in memory behind another one's claim. */
async function claimant([mode, slots]: readonly [LockMode, number]): Promise<void> {
  const claims: { writes: number }[] = [];
  const manager = new LockManager({ backend: counted(claims), waitMs: 120_000, leaseMs: 10_000 });
  for (let round = 0; round < rounds; round += 1) {
    await manager.run(key, { mode }, async ({ fencingToken }) => {
      const from = monotonicMs();
      await sleep(1 + Math.random() * 3);
      // Infinity is no JSON.
      const allows = slots === Infinity ? null : slots;
      holds.push({ from, to: monotonicMs(), slots: allows, token: String(fencingToken) });
    });
  }
  await manager.close();
  writes.push(...claims.map((claim) => claim.writes));
}

/** The one backend of the process; what is written for a claim is counted on it. */
function counted(claims: { writes: number }[]): LockBackend {
  return {
    name: backend.name,
    inspect: (inspected) => backend.inspect(inspected),
    list: (options) => backend.list(options),
    evict: (evicted, id) => backend.evict(evicted, id),
    claim: (request): Claim => {
      const count = { writes: 0 };
      claims.push(count);
      const claim = backend.claim(request);
      return {
        attempt: (options) => counts.run(count, () => claim.attempt(options)),
        renew: () => counts.run(count, () => claim.renew()),
        withdraw: () => counts.run(count, () => claim.withdraw()),
        watch: (wake) => claim.watch!(wake),
      };
    },
  };
}

function counting(store: CasStore): CasStore {
  return {
    name: store.name,
    read: (read) => store.read(read),
    write: (written, next, expected) => {
      const count = counts.getStore();
      if (count === undefined) throw new Error('a write for nobody');
      count.writes += 1;
      return store.write(written, next, expected);
    },
    watch: (watched, changed) => store.watch!(watched, changed),
  };
}
