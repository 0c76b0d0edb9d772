import { CasBackend } from 'nestjs-locked/cas';
import { SharedMemoryStore } from 'nestjs-locked/cas/shared-memory';
import { type LockPlace } from './lock-place.js';

const place: LockPlace = {
  threads: true,
  start: async () => ({ address: SharedMemoryStore.allocate(), stop: async () => undefined }),
  connect: (buffer) => new CasBackend({ store: new SharedMemoryStore({ buffer: buffer as SharedArrayBuffer }) }),
};
export default place;
