import { describe, expect, it } from '@jest/globals';
import { LockConfigError, LockManager, type LockManagerOptions } from '../../lib/core/index.js';
import { MemoryBackend } from '../../lib/memory/index.js';
import { settled } from './virtual-clock.js';
import { NOTHING, outcome, type Process, remains, World } from './world.js';

const RETAIN_MS = 5_000;

function retaining(world: World, options: Partial<LockManagerOptions> = {}): Process {
  return world.process({ retainMs: RETAIN_MS, ...options });
}

async function acquireAndRelease({ locks }: Process, times = 1): Promise<bigint[]> {
  const tokens: bigint[] = [];
  for (; times > 0; times -= 1) {
    const lock = await locks.acquire('a');
    tokens.push(lock.fencingToken);
    expect(await lock.release()).toBe(true);
  }
  return tokens;
}

/** Withdrawals are answered when the function that this returns is called. */
function gateWithdrawals({ network }: Process): () => void {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  network.fate = (call) => (call === 'withdraw' ? opened : 'answered');
  return open;
}

const rises = (tokens: readonly bigint[]): boolean =>
  tokens.every((token, index) => index === 0 || token > tokens[index - 1]!);

describe('a claim that is retained', () => {
  it('is taken again without asking, with a token that rises, up to localHandOffs times in a row', async () => {
    const world = new World();
    const process = retaining(world, { localHandOffs: 4 });
    const tokens = await acquireAndRelease(process, 10);
    expect(rises(tokens)).toBe(true);
    expect(new Set(tokens.map((token) => token >> 10n)).size).toBe(2);
    expect(process.network.calls).toEqual(['attempt', 'withdraw', 'attempt', 'withdraw']);
    expect(process.events.filter(({ type }) => type === 'handed-over')).toHaveLength(8);
  });

  it('is taken again in the same turn, also by one that does not wait', async () => {
    const world = new World();
    const process = retaining(world);
    await acquireAndRelease(process);
    expect((await process.locks.tryAcquire('a'))?.held).toBe(true);
    expect(await process.locks.tryAcquire('a')).toBeNull();
    expect(process.network.calls).toEqual(['attempt']);
  });

  it('leaves after retainMs, and nothing is left of it', async () => {
    const world = new World();
    const process = retaining(world);
    await acquireAndRelease(process);
    await world.clock.pass(RETAIN_MS - 1);
    expect(await world.line('a')).toBe(1);
    await world.clock.pass(1);
    expect(await world.line('a')).toBe(0);
    expect(remains(process.locks)).toEqual(NOTHING);
  });

  it('is renewed meanwhile', async () => {
    const world = new World();
    const process = retaining(world, { leaseMs: 600 });
    const [before] = await acquireAndRelease(process);
    await world.clock.pass(4_000);
    const [after] = await acquireAndRelease(process);
    expect(after! >> 10n).toBe(before! >> 10n);
    expect(process.network.count('attempt')).toBe(1);
    expect(process.network.count('renew')).toBeGreaterThan(10);
  });

  it('yields at once when somebody else wants the key', async () => {
    const world = new World();
    const [one, two] = [retaining(world), world.process()];
    const [before] = await acquireAndRelease(one);
    const lock = await two.locks.acquire('a');
    expect(lock.waitedMs).toBe(0);
    expect(lock.fencingToken).toBeGreaterThan(before!);
    await settled();
    expect(one.network.calls).toEqual(['attempt', 'withdraw']);
    expect(remains(one.locks)).toEqual(NOTHING);
  });

  it('yields to one that does not wait', async () => {
    const world = new World();
    const [one, two] = [retaining(world), world.process()];
    await acquireAndRelease(one);
    expect((await two.locks.tryAcquire('a'))?.held).toBe(true);
  });

  it('is not kept at all when somebody else was seen to want it while it was in use', async () => {
    const world = new World();
    const [one, two] = [retaining(world), world.process()];
    const lock = await one.locks.acquire('a');
    const next = outcome(two.locks.acquire('a'));
    await settled();
    await lock.release();
    await settled();
    expect(next.value?.held).toBe(true);
    expect(one.network.calls).toEqual(['attempt', 'withdraw']);
  });

  it('is not kept by one that came in with others behind it', async () => {
    const world = new World();
    const [one, two, three] = [world.process(), retaining(world), world.process()];
    const first = await one.locks.acquire('a');
    const second = outcome(two.locks.acquire('a'));
    await settled();
    const third = outcome(three.locks.acquire('a', { waitMs: Infinity }));
    await settled();
    two.network.wakes = false;
    await first.release();
    await world.clock.pass(6_000);
    await second.value!.release();
    await settled();
    expect(third.value?.held).toBe(true);
  });

  it('goes after retainMs where no wake arrives', async () => {
    const world = new World();
    const [one, two] = [retaining(world), world.process()];
    one.network.wakes = false;
    await acquireAndRelease(one);
    const next = outcome(two.locks.acquire('a'));
    await world.clock.pass(RETAIN_MS - 1);
    expect(next.state).toBe('pending');
    await world.clock.pass(1);
    expect(next.value?.held).toBe(true);
  });

  it('yields when woken for no reason that is told', async () => {
    const world = new World();
    const process = retaining(world);
    const bare: (() => void)[] = [];
    const { network } = process;
    const claim = network.claim.bind(network);
    network.claim = (request) => {
      const behind = claim(request);
      return { ...behind, watch: (wake) => (bare.push(() => wake()), behind.watch!(wake)) };
    };
    await acquireAndRelease(process);
    bare[0]!();
    await settled();
    expect(network.calls).toEqual(['attempt', 'withdraw']);
  });

  it('goes out of the way of a caller of its process with other terms, also of one that tries once', async () => {
    const world = new World();
    const process = retaining(world);
    const [before] = await acquireAndRelease(process);
    const open = gateWithdrawals(process);
    const reader = outcome(process.locks.tryAcquire('a', { mode: 'shared' }));
    await settled();
    expect(process.network.calls).toEqual(['attempt', 'withdraw']);
    expect(reader.state).toBe('pending');
    open();
    await settled();
    expect(reader.value?.held).toBe(true);
    expect(reader.value!.fencingToken).toBeGreaterThan(before!);
    await reader.value!.release();
    const long = await process.locks.acquire('a', { leaseMs: 60_000 });
    expect(long.remainingMs).toBeGreaterThan(50_000);
  });

  it('stands in the way of nobody of its process while it leaves', async () => {
    const world = new World();
    const process = retaining(world);
    await acquireAndRelease(process);
    const open = gateWithdrawals(process);
    await world.clock.pass(RETAIN_MS);
    const again = outcome(process.locks.tryAcquire('a'));
    await settled();
    expect(again.state).toBe('pending');
    open();
    await settled();
    expect(again.value?.held).toBe(true);
    await again.value!.release();
    await process.locks.close();
    expect(remains(process.locks)).toEqual(NOTHING);
  });

  it('is given to nobody once its lease has ended, even if no timer has told', async () => {
    const world = new World();
    const process = retaining(world, { leaseMs: 1_000 });
    const [before] = await acquireAndRelease(process);
    world.clock.stall(1_000);
    const lock = outcome(process.locks.acquire('a'));
    await settled();
    expect(lock.value?.held).toBe(true);
    expect(lock.value!.fencingToken >> 10n).toBeGreaterThan(before! >> 10n);
    expect(process.events.filter(({ type }) => type === 'lost')).toEqual([]);
    await process.locks.close();
    expect(lock.value!.held).toBe(false);
  });

  it('is given to nobody while it is in doubt', async () => {
    const world = new World();
    const process = retaining(world, { leaseMs: 1_000 });
    await acquireAndRelease(process);
    process.network.fate = (call) => (call === 'renew' ? 'not sent' : 'answered');
    await world.clock.pass(400);
    await acquireAndRelease(process);
    expect(process.network.count('attempt')).toBe(2);
    expect(process.network.count('withdraw')).toBe(1);
  });

  it('that is lost is gone without a word', async () => {
    const world = new World();
    const process = retaining(world, { leaseMs: 600 });
    await acquireAndRelease(process);
    await world.vanish('a');
    await world.clock.pass(300);
    expect(remains(process.locks)).toEqual(NOTHING);
    expect(process.events.filter(({ type }) => type === 'lost')).toEqual([]);
    await acquireAndRelease(process);
  });

  it('can be forced away', async () => {
    const world = new World();
    const [one, two] = [retaining(world), world.process()];
    await acquireAndRelease(one);
    const { holders } = await two.locks.inspect('a');
    expect(holders).toHaveLength(1);
    expect(await two.locks.forceRelease('a', holders[0]!)).toBe(true);
    await settled();
    expect(await world.line('a')).toBe(0);
    expect(remains(one.locks)).toEqual(NOTHING);
    expect(await acquireAndRelease(one)).toHaveLength(1);
  });

  it('is not kept beside another of its process, of which one is lost, unnoticed', async () => {
    const world = new World();
    const [one, two] = [retaining(world, { leaseMs: 9_000 }), world.process()];
    one.network.wakes = false;
    const first = await one.locks.acquire('a');
    const second = outcome(one.locks.acquire('a', { leaseMs: 600 }));
    await settled();
    await two.locks.forceRelease('a', (await two.locks.inspect('a')).holders[0]!);
    await world.clock.pass(600);
    expect([first.held, second.value?.held]).toEqual([true, true]);
    await second.value!.release();
    await first.release();
    await world.clock.pass(2 * RETAIN_MS);
    expect(await world.line('a')).toBe(0);
    expect(remains(one.locks)).toEqual(NOTHING);
  });

  it.each(['drain', 'close'] as const)('leaves at once on %s, and none is retained any more', async (how) => {
    const world = new World();
    const process = retaining(world);
    await acquireAndRelease(process);
    const other = await process.locks.acquire('b');
    const ended = process.locks[how]();
    await settled();
    expect(await world.line('a')).toBe(0);
    await other.release();
    await settled();
    expect(await world.line('b')).toBe(0);
    await world.clock.pass(1);
    await ended;
    expect(remains(process.locks).lines).toBe(0);
  });

  it('that was never used is not kept', async () => {
    const world = new World();
    const [one, two] = [retaining(world), world.process()];
    const busy = await two.locks.acquire('b');
    expect(await one.locks.tryAcquire(['a', 'b'])).toBeNull();
    await settled();
    expect(await world.line('a')).toBe(0);
    await busy.release();
  });

  it('is one of several keys as well', async () => {
    const world = new World();
    const process = retaining(world);
    for (let times = 0; times < 3; times += 1) await (await process.locks.acquire(['a', 'b'])).release();
    expect(process.network.calls).toEqual(['attempt', 'attempt']);
  });

  it('rests for minHoldMs first, of which nobody has anything', async () => {
    const world = new World();
    const process = retaining(world);
    await process.locks.run('a', { minHoldMs: 1_000 }, () => undefined);
    expect(await process.locks.tryAcquire('a')).toBeNull();
    await world.clock.pass(1_000);
    expect((await process.locks.tryAcquire('a'))?.held).toBe(true);
    expect(process.network.calls).toEqual(['attempt']);
  });

  it('has a maxHoldMs for each that takes it', async () => {
    const world = new World();
    const process = retaining(world);
    await (await process.locks.acquire('a', { maxHoldMs: 1_000 })).release();
    await world.clock.pass(2_000);
    const lock = await process.locks.acquire('a', { maxHoldMs: 1_000 });
    expect(process.network.calls).toEqual(['attempt']);
    expect(lock.held).toBe(true);
    await world.clock.pass(1_000);
    expect(lock.signal.reason).toMatchObject({ reason: 'max-hold' });
  });

  it('is exclusive', async () => {
    const world = new World();
    const process = retaining(world);
    for (const mode of ['shared', { limit: 2 }] as const) await (await process.locks.acquire('a', { mode })).release();
    expect(process.network.calls).toEqual(['attempt', 'withdraw', 'attempt', 'withdraw']);
  });
});

describe('without retainMs', () => {
  it('no backend is asked to tell who joins', async () => {
    const world = new World();
    const process = world.process();
    const yields: unknown[] = [];
    const { network } = process;
    const claim = network.claim.bind(network);
    network.claim = (request) => {
      yields.push(request.yields);
      return claim(request);
    };
    await acquireAndRelease(process);
    await acquireAndRelease(retaining(world));
    expect(yields).toEqual([false]);
  });

  it('a claim leaves with its last release', async () => {
    const world = new World();
    const process = world.process();
    await acquireAndRelease(process);
    expect(await world.line('a')).toBe(0);
  });
});

describe('retainMs', () => {
  it.each([-1, Number.NaN, Infinity, '1'])('%s is LockConfigError', (retainMs) => {
    const options = { backend: new MemoryBackend(), retainMs } as LockManagerOptions;
    expect(() => new LockManager(options)).toThrow(LockConfigError);
  });

  it('is LockConfigError where nothing is passed on', () => {
    const options = { backend: new MemoryBackend(), localHandOffs: 0, retainMs: 1 };
    expect(() => new LockManager(options)).toThrow(LockConfigError);
  });
});
