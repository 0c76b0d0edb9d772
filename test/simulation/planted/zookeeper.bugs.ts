import { readClaimName } from '../../../lib/zookeeper/zookeeper.keys.js';
import { ZooKeeperClaim } from '../../../lib/zookeeper/zookeeper.claim.js';
import { type Line } from '../../../lib/zookeeper/zookeeper.line.js';
import { ZooKeeperNode } from '../../../lib/zookeeper/zookeeper.node.js';
import { SessionProof } from '../../../lib/zookeeper/zookeeper.proof.js';
import { zooKeeperFamily } from '../families/zookeeper.family.js';
import { type PlantedBug, replaceGetter, replaceMethod } from './planted-bug.js';

const family = zooKeeperFamily();
/** Sessions that end while somebody works, because the server that they are kept by is cut off. */
const cutOff = zooKeeperFamily({ sessionMs: 1_000, ticks: [2], troubles: ['server cut off'] });

/** In what locks on ZooKeeper make of sessions, nodes and watches. */
export const zooKeeperBugs: readonly PlantedBug[] = [
  {
    // The longer it is, the likelier another oracle sees it as well: a session that is given up after a stall ends it early.
    name: 'ZooKeeper: a lease of four fifths of the session',
    caughtBy: 'kept leases',
    byNoOther: true,
    family: cutOff,
    plant: () =>
      replaceGetter(SessionProof.prototype, 'leaseMs', function (this: SessionProof) {
        return 0.8 * this.timeoutMs;
      }),
  },
  {
    name: 'ZooKeeper: the sequence of a node for its place, which begins anew with a line that was collected',
    caughtBy: 'fence monotonicity',
    family,
    plant: () =>
      replaceMethod(ZooKeeperNode.prototype, 'stay', (right) => {
        return async function (this: never) {
          const stay = (await right.call(this)) as { readonly name: string } | undefined;
          return stay && { ...stay, place: BigInt(readClaimName(stay.name)!.sequence) };
        };
      }),
  },
  {
    name: 'ZooKeeper: whoever was not told that its node was made takes it for not made',
    caughtBy: 'liveness',
    family,
    plant: () =>
      replaceMethod(ZooKeeperNode.prototype, 'search', () => {
        return async function (this: never) {
          inside<NodeInsides>(this).unsure = false;
        };
      }),
  },
  {
    name: 'ZooKeeper: a node of a session that has ended is taken for its own',
    caughtBy: 'belief overlap',
    family,
    plant: () =>
      replaceMethod(ZooKeeperNode.prototype, 'found', (right) => {
        return async function (this: never) {
          if (await right.call(this)) return true;
          const node = inside<NodeInsides>(this);
          const own = (await node.read()).find(({ id }) => id === node.terms.id);
          node.madeAs = own?.name;
          return own !== undefined;
        };
      }),
  },
  {
    name: 'ZooKeeper: a node for each time that a claim asks',
    caughtBy: 'first come',
    family,
    plant: () =>
      replaceMethod(ZooKeeperNode.prototype, 'stay', (right) => {
        return function (this: never) {
          Object.assign(this, { madeAs: undefined, madeAt: undefined });
          return right.call(this);
        };
      }),
  },
  {
    name: 'ZooKeeper: whoever hears that the one it watches has gone is in',
    caughtBy: 'belief overlap',
    family,
    plant: () =>
      replaceMethod(ZooKeeperClaim.prototype, 'departed', () => {
        return function (this: never) {
          const { node, wakeUp } = inside<ClaimInsides>(this);
          const { place, session } = node ?? {};
          if (place !== undefined) wakeUp?.({ held: true, place, leaseMs: session!.leaseMs, waiting: 0 });
        };
      }),
  },
  {
    name: 'ZooKeeper: a renewal is kept, though the session has ended',
    caughtBy: 'belief overlap',
    family,
    plant: () =>
      replaceMethod(ZooKeeperClaim.prototype, 'renew', (right) => {
        return async function (this: never) {
          await (right.call(this) as Promise<unknown>).catch(() => undefined);
          return true;
        };
      }),
  },
];

// What the compiler calls private.

interface NodeInsides {
  readonly terms: { readonly id: string };
  unsure: boolean;
  madeAs: string | undefined;
  read(): Promise<Line>;
}

interface ClaimInsides {
  readonly node: { readonly place: bigint | undefined; readonly session: { readonly leaseMs: number } } | undefined;
  readonly wakeUp: ((standing: unknown) => void) | undefined;
}

function inside<T>(thing: unknown): T {
  return thing as T;
}
