import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CasBackend } from '../../lib/cas/index.js';
import { SharedMemoryStore } from '../../lib/cas/shared-memory/index.js';
import { type Claim, LockConfigError, LockManager } from '../../lib/core/index.js';
import { Compiled } from '../support/compiled.js';
import { type Plan, rush, type Rush } from './threads/rush.js';

const THREADS = 8;

describe('worker threads', () => {
  let compiled: Compiled;
  beforeAll(() => void (compiled = new Compiled('lib/core', 'lib/cas', 'test/cas/threads')));
  afterAll(() => compiled[Symbol.dispose]());

  async function run(plan: Omit<Plan, 'threads'>): Promise<Rush> {
    const result = await rush(compiled.pathOf('test/cas/threads/worker.ts'), { threads: THREADS, ...plan });
    const done = result.done.reduce((sum, each) => sum + each);
    expect(result).toMatchObject({ counter: done, disorder: 0, keysLeft: [] });
    return result;
  }

  it('go through a hundred thousand critical sections each, and lose no update', async () => {
    const plan = { callers: 64, localHandOffs: 1_023, leaseMs: 10_000, forMs: 110_000, sections: 100_000 };
    const { counter, done } = await run(plan);
    expect(done).toEqual(Array.from({ length: THREADS }, () => 100_000));
    expect(counter).toBe(800_000);
    // 8 s on two cores that have little else to do.
  }, 120_000);

  it('all get their share where the line orders all callers of all threads', async () => {
    const { done } = await run({ callers: 1, localHandOffs: 0, leaseMs: 10_000, forMs: 4_000, sections: 100_000 });
    const fair = done.reduce((sum, each) => sum + each) / THREADS;
    expect(fair).toBeGreaterThan(10);
    expect(Math.min(...done)).toBeGreaterThan(fair / 4);
  });

  it('never see a value half written', async () => {
    const buffer = SharedMemoryStore.allocate({ keys: 1 });
    const script = compiled.pathOf('test/cas/threads/hammer.ts');
    const reports = await Promise.all(
      [1, 2, 3].map(async () => {
        const worker = new Worker(script, { workerData: { buffer, forMs: 2_000 } });
        const [[report]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
        return report as { torn: number; written: number };
      }),
    );
    expect(reports.map(({ torn }) => torn)).toEqual([0, 0, 0]);
    expect(Math.min(...reports.map(({ written }) => written))).toBeGreaterThan(0);
  });

  it('get the lock of one that was terminated when its lease has ended', async () => {
    const plan = { callers: 2, localHandOffs: 16, leaseMs: 1_000, forMs: 6_000, sections: 50, afterDeath: true };
    const { done, tookMs } = await run(plan);
    expect(done).toEqual(Array.from({ length: THREADS }, () => 50));
    expect(tookMs).toBeGreaterThan(990);
  });
});

describe('the buffer', () => {
  it.each([
    ['no buffer', undefined],
    ['memory that is not shared', new ArrayBuffer(1_024)],
    ['memory that something else is in', new SharedArrayBuffer(1_024)],
  ])('is refused: %s', (_name, buffer) => {
    expect(() => new SharedMemoryStore({ buffer: buffer as SharedArrayBuffer })).toThrow(LockConfigError);
  });

  it.each([{ keys: 0 }, { keys: 30_001 }, { keys: 1.5 }, { bytesPerBucket: 10 }, { bytesPerBucket: 2 ** 21 }])(
    'is not made for %p',
    (size) => expect(() => SharedMemoryStore.allocate(size)).toThrow(LockConfigError),
  );

  it('says what size to choose when a line is too long for it, and serves on', async () => {
    const buffer = SharedMemoryStore.allocate({ keys: 4, bytesPerBucket: 256 });
    const locks = new LockManager({ backend: new CasBackend({ store: new SharedMemoryStore({ buffer }) }) });
    await expect(locks.acquire('k'.repeat(300))).rejects.toThrow(/allocate\(\{ bytesPerBucket: 512 \}\)/);
    await expect(locks.acquire('k'.repeat(300))).rejects.toBeInstanceOf(LockConfigError);
    expect(await locks.run('a', () => 'served')).toBe('served');
    await locks.close();
  });

  it('has room for a line for as long as it has had room for who joined it', async () => {
    const refused = new Set<boolean>();
    for (let length = 1; length < 256; length += 1) {
      const store = new SharedMemoryStore({ buffer: SharedMemoryStore.allocate({ keys: 1, bytesPerBucket: 256 }) });
      const backend = new CasBackend({ store });
      const [first, second] = ['first', 'second'].map((id) =>
        backend.claim({ key: 'k'.repeat(length), id, slots: 2, leaseMs: 10_000 }),
      );
      const joined = async (claim: Claim): Promise<boolean> => {
        const { held } = await Promise.resolve(claim.attempt({ queue: true })).catch(() => ({ held: false }));
        refused.add(!held);
        return held;
      };
      if (!(await joined(first!))) continue;
      if (await joined(second!)) expect(await second!.withdraw()).toBe(true);
      expect(await first!.renew()).toBe(true);
      expect(await first!.withdraw()).toBe(true);
    }
    expect(refused).toEqual(new Set([false, true]));
  });

  it('serves more keys than it was made for until they crowd, says so, and gets everything back', async () => {
    const store = new SharedMemoryStore({ buffer: SharedMemoryStore.allocate({ keys: 64, bytesPerBucket: 1_024 }) });
    const fill = async (): Promise<Map<string, bigint>> => {
      const filled = new Map<string, bigint>();
      try {
        for (let key = 0; key < 10_000; key += 1) {
          const written = await store.write(`key ${key}`, Buffer.from('x'), null);
          if (written.ok) filled.set(`key ${key}`, written.version);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(LockConfigError);
        expect(String(error)).toMatch(/allocate\(\{ bytesPerBucket: 2048 \}\), or more keys/);
      }
      return filled;
    };
    const filled = await fill();
    expect(filled.size).toBeGreaterThan(64);
    expect(filled.size).toBeLessThan(10_000);
    for (const [key, version] of filled) expect(await store.write(key, null, version)).toMatchObject({ ok: true });
    expect((await fill()).size).toBe(filled.size);
  });
});

describe('versions', () => {
  it('rise over deletion, for each key, whatever shares its bucket', async () => {
    const store = new SharedMemoryStore({ buffer: SharedMemoryStore.allocate({ keys: 1 }) });
    const last = new Map<string, bigint>();
    for (let round = 0; round < 200; round += 1) {
      for (const key of ['a', 'b', 'c']) {
        const written = await store.write(key, Buffer.from(key), null);
        if (!written.ok) throw new Error('a conflict with nobody');
        expect(written.version).toBeGreaterThan(last.get(key) ?? 0n);
        last.set(key, written.version);
        expect(await store.read(key)).toMatchObject({ version: written.version });
        expect(await store.write(key, Buffer.from('late'), written.version - 1n)).toMatchObject({ ok: false });
        expect(await store.write(key, null, written.version)).toMatchObject({ ok: true });
      }
    }
  });
});
