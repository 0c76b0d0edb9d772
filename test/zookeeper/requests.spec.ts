import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type LockBackend, type Standing } from '../../lib/core/backend.js';
import { ZooKeeperBackend } from '../../lib/zookeeper/index.js';
import { until } from '../support/until.js';
import { type TcpProxy } from '../support/tcp-proxy.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { OPERATION, operationOf, startZooKeeperProxy } from '../support/zookeeper-proxy.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';

/** Long, so that signs of life are few. */
const SESSION_MS = 600_000;

/** A client, and what it asks for. */
interface Counted {
  readonly backend: LockBackend;
  readonly proxy: TcpProxy;
  /** Since it was last emptied, signs of life left out. */
  readonly requests: string[];
  events: number;
}

describeOnZooKeeper('what a lock costs on ZooKeeper', () => {
  const clients: Counted[] = [];
  let server: ZooKeeperServer;
  beforeAll(async () => {
    server = await startZooKeeperServer({ collectEveryMs: 600_000, config: { maxSessionTimeout: SESSION_MS } });
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    // A goodbye through a proxy of this process would not arrive: the driver holds up the event loop until it is answered.
    for (const { proxy } of clients) proxy.close();
    await sleep(50);
    for (const { backend } of clients.splice(0)) await backend.close!();
  });

  it('a free key: one round trip; its release: another', async () => {
    const client = await connect();
    const { proxy, requests } = client;
    await lineExists(client, 'a');
    proxy.toClient.delay(Infinity);
    const claim = client.backend.claim({ key: 'a', id: 'x', slots: 1, leaseMs: 1_000 });
    const attempt = claim.attempt({ queue: true });
    await until('all is asked before anything is answered', () => requests.length === 3);
    expect(requests).toEqual(['exists', 'create', 'getChildren2']);
    proxy.toClient.pass();
    expect(await attempt).toMatchObject({ held: true, waiting: 0 });
    expect(await claim.withdraw()).toBe(true);
    expect(requests).toEqual(['exists', 'create', 'getChildren2', 'delete']);
  });

  it('a key that was never locked: its line is made with the claim, in a second round trip', async () => {
    const client = await connect();
    await lineExists(client, 'a');
    await client.backend.claim({ key: 'new', id: 'x', slots: 1, leaseMs: 1_000 }).attempt({ queue: true });
    expect(client.requests.slice(3)).toEqual(['container', 'create', 'getChildren2']);
  });

  it('the place of a holder is what the server knows as the making of its node', async () => {
    const client = await connect();
    for (const slots of [1, Infinity, 3]) {
      for (const id of ['x', 'y', 'z']) {
        await client.backend.claim({ key: `place${slots}`, id, slots, leaseMs: 1_000 }).attempt({ queue: true });
      }
      const line = await client.backend.inspect(`place${slots}`);
      for (const { id, place } of line) {
        const standing = await client.backend
          .claim({ key: `place${slots}`, id, slots, leaseMs: 1_000 })
          .attempt({ queue: true });
        expect(standing.place).toBe(place);
      }
    }
  });

  it('renewals that are due together: one question to the leader, and one about each node', async () => {
    const client = await connect();
    const claims = ['a', 'b', 'c'].map((key) => client.backend.claim({ key, id: 'x', slots: 1, leaseMs: 1_000 }));
    for (const claim of claims) await claim.attempt({ queue: true });
    client.requests.length = 0;
    expect(await Promise.all(claims.map((claim) => claim.renew()))).toEqual([true, true, true]);
    expect(client.requests).toEqual(['sync', 'exists', 'exists', 'exists']);
  });

  it('a holder that yields: one more read of its line, and one event when another joins', async () => {
    const [holder, other] = [await connect(), await connect()];
    await lineExists(holder, 'kept');
    const claim = holder.backend.claim({ key: 'kept', id: 'x', slots: 1, leaseMs: 1_000, yields: true });
    let wakes = 0;
    claim.watch!(() => (wakes += 1));
    expect(await claim.attempt({ queue: true })).toMatchObject({ held: true, waiting: 0 });
    await until('it has read', () => holder.requests.length === 4);
    expect(holder.requests).toEqual(['exists', 'create', 'getChildren2', 'getChildren2']);
    holder.events = 0;
    await other.backend.claim({ key: 'kept', id: 'y', slots: 1, leaseMs: 1_000 }).attempt({ queue: true });
    await until('it is woken', () => wakes > 0);
    expect({ wakes, events: holder.events }).toEqual({ wakes: 1, events: 1 });
    expect(holder.requests).toHaveLength(4);
  });

  it('k waiters: a hand-off wakes one of them, which reads a fixed number of times', async () => {
    const waiters = 8;
    const holder = await connect();
    const others: Counted[] = [];
    for (let n = 0; n < waiters; n += 1) others.push(await connect());
    const first = holder.backend.claim({ key: 'line', id: 'first', slots: 1, leaseMs: 1_000 });
    expect(await first.attempt({ queue: true })).toMatchObject({ held: true });
    const standings: { woken: Standing | undefined; times: number }[] = [];
    const claims = [];
    for (const [n, { backend }] of others.entries()) {
      const claim = backend.claim({ key: 'line', id: `waiter-${n}`, slots: 1, leaseMs: 1_000 });
      const standing = { woken: undefined as Standing | undefined, times: 0 };
      claim.watch!((woken) => {
        standing.woken = woken;
        standing.times += 1;
      });
      expect(await claim.attempt({ queue: true })).toMatchObject({ held: false, ahead: n + 1 });
      claims.push(claim);
      standings.push(standing);
    }
    await until('all watch', () => others.every(({ requests }) => requests.includes('getData')));
    const reads: number[] = [];
    let leaving = first;
    for (const [n, claim] of claims.entries()) {
      for (const each of others) {
        each.requests.length = 0;
        each.events = 0;
      }
      expect(await leaving.withdraw()).toBe(true);
      await until('the next one is woken', () => standings[n]!.times > 0);
      // The first knows by itself; those behind read what has gone besides.
      const held = standings[n]!.woken ?? (await claim.attempt({ queue: true }));
      expect(held).toMatchObject({ held: true });
      expect(others.map(({ events }) => events)).toEqual(others.map((_, each) => (each === n ? 1 : 0)));
      reads.push(others.flatMap(({ requests }) => requests).filter((name) => name !== 'delete').length);
      leaving = claim;
    }
    expect(reads[0]).toBe(0);
    expect(Math.max(...reads)).toBeLessThanOrEqual(2);
    expect(standings.map(({ times }) => times)).toEqual(standings.map(() => 1));
  });

  /** Joins and leaves, and forgets what it took. */
  async function lineExists({ backend, requests }: Counted, key: string): Promise<void> {
    const claim = backend.claim({ key, id: 'before', slots: 1, leaseMs: 1_000 });
    await claim.attempt({ queue: true });
    await claim.withdraw();
    await until('the sign of life after connecting is sent', async () => requests.includes('delete'));
    requests.length = 0;
  }

  async function connect(): Promise<Counted> {
    const proxy = await startZooKeeperProxy(server);
    const backend = new ZooKeeperBackend({ connect: `127.0.0.1:${proxy.port}`, sessionTimeoutMs: SESSION_MS });
    const counted: Counted = { backend, proxy, requests: [], events: 0 };
    const names = new Map(Object.entries(OPERATION).map(([name, operation]) => [operation, name]));
    proxy.dropRepliesThenReset((request) => {
      const operation = operationOf(request);
      const name = operation === undefined ? 'connect' : (names.get(operation) ?? String(operation));
      if (name !== 'ping' && name !== 'connect') counted.requests.push(name);
      return false;
    });
    proxy.toClient.drop((message) => {
      if (message.readInt32BE(4) === -1) counted.events += 1;
      return false;
    });
    clients.push(counted);
    await backend.inspect('nothing');
    counted.requests.length = 0;
    return counted;
  }
});
