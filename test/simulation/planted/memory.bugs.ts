import { type ClaimRequest } from '../../../lib/core/index.js';
import { MemoryBackend } from '../../../lib/memory/index.js';
import { memoryFamily } from '../families/memory.family.js';
import { type PlantedBug, replaceMethod } from './planted-bug.js';

type Right = (this: never, ...args: never[]) => unknown;

interface Standee {
  readonly request: ClaimRequest;
  place: bigint;
  leaseEndsAt: number;
}
type Line = Map<string, Standee>;

/** What the compiler calls private. */
interface Insides {
  readonly lines: Map<string, Line>;
  lastPlace: number;
  living(key: string): Line;
  leave(line: Line, standee: Standee): void;
  join(line: Line, request: ClaimRequest): Standee;
}
const inside = (backend: unknown): Insides => backend as Insides;

const family = memoryFamily();
const wrong = (method: string, make: (right: Right) => Right) => (): (() => void) =>
  replaceMethod(MemoryBackend.prototype, method, make);

/** In a backend: tried on the reference. */
export const memoryBugs: readonly PlantedBug[] = [
  {
    name: 'a renewal that revives a claim whose lease has ended',
    caughtBy: 'belief overlap',
    family,
    plant: wrong('renew', (right) => {
      return function (this: never, request: never) {
        const { key, id } = request as ClaimRequest;
        const line = inside(this).living(key);
        if (!line.has(id)) inside(this).join(line, request).leaseEndsAt = Infinity;
        return right.call(this, request);
      };
    }),
  },
  {
    name: 'a release that does not look whose claim it is',
    caughtBy: 'belief overlap',
    family,
    plant: wrong('withdraw', () => freesTheFront),
  },
  {
    name: 'a second release that frees the next',
    caughtBy: 'belief overlap',
    family,
    plant: wrong('withdraw', (right) => {
      const gone = new Set<string>();
      return function (this: never, request: never) {
        const { id } = request as ClaimRequest;
        if (gone.has(id)) return freesTheFront.call(this, request);
        gone.add(id);
        return right.call(this, request);
      };
    }),
  },
  {
    name: 'an attempt whose reply was lost joins again, and leaves a ghost',
    caughtBy: 'residue',
    family,
    plant: wrong('attempt', (right) => {
      return function (this: never, request: never, queue: never, wake: never) {
        const { key, id } = request as ClaimRequest;
        const line = inside(this).living(key);
        const before = line.get(id);
        const ghost = `ghost of ${id}`;
        // A place of its own in line: nobody knows it, and nobody withdraws it.
        if (before !== undefined && !line.has(ghost))
          line.set(ghost, { ...before, request: { ...before.request, id: ghost } });
        return right.call(this, request, queue, wake);
      };
    }),
  },
  {
    name: 'a hand-off to the dead: leases never end',
    caughtBy: 'liveness',
    family,
    plant: wrong('living', () => {
      return function (this: never, key: never) {
        return inside(this).lines.get(key) ?? new Map();
      };
    }),
  },
  {
    name: 'leases that end too early',
    caughtBy: 'belief overlap',
    family,
    plant: wrong('living', (right) => {
      return function (this: never, key: never) {
        const line = inside(this).lines.get(key);
        for (const standee of line?.values() ?? []) standee.leaseEndsAt -= standee.request.leaseMs / 5;
        const living = right.call(this, key);
        for (const standee of line?.values() ?? []) standee.leaseEndsAt += standee.request.leaseMs / 5;
        return living;
      };
    }),
  },
  {
    name: 'whoever asks again goes to the back of the line',
    caughtBy: 'first come',
    byNoOther: true,
    family,
    plant: wrong('attempt', (right) => {
      return function (this: never, request: never, queue: never, wake: never) {
        const { key, id } = request as ClaimRequest;
        const line = inside(this).living(key);
        const place = [...line.keys()].indexOf(id);
        // Only those who wait behind one that holds alone, and are not the last.
        const jumped =
          place > 0 && place < line.size - 1 && [...line.values()].every(({ request: { slots } }) => slots === 1);
        if (jumped) line.delete(id);
        return right.call(this, request, queue, wake);
      };
    }),
  },
  {
    name: 'tokens that begin anew when the line is empty',
    caughtBy: 'fence monotonicity',
    family,
    plant: wrong('join', (right) => {
      return function (this: never, line: never, request: never) {
        const standee = right.call(this, line, request) as Standee;
        standee.place = BigInt((line as Line).size);
        return standee;
      };
    }),
  },
];

/** Whoever it is. */
const freesTheFront: Right = function (this: never, request: never) {
  const line = inside(this).living((request as ClaimRequest).key);
  const [front] = line.values();
  if (front === undefined) return false;
  inside(this).leave(line, front);
  return true;
};
