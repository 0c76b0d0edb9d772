import { type LockBackend } from '../../lib/core/backend.js';
import { type Clock } from '../../lib/core/clock.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { type BackendFixture } from '../../lib/conformance/index.js';

/** The embedded backend. Those who share it share the object: that is what its clients are. */
export function memoryFixture(name = 'memory', { clock }: { readonly clock?: Clock } = {}): BackendFixture {
  const store = new MemoryBackend(clock === undefined ? {} : { clock });
  const fixture = { name, connect: () => store, residue: () => keysOf(store) };
  return clock === undefined ? fixture : { ...fixture, clock };
}

/** How many keys have a line. */
export async function keysOf(store: Required<Pick<LockBackend, 'list'>>): Promise<number> {
  let keys = 0;
  for await (const _ of store.list()) keys += 1;
  return keys;
}
