import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { type Contender } from './contender.js';

// By hand, on the driver that ours is on: a place in line and what is needed to know that one holds it, in one flight; and
// the place given up. What it leaves out is everything else: sessions that end, lost answers, watching, waiting.

const PERSISTENT = 0;
const EPHEMERAL_SEQUENTIAL = 3;
const NODE_EXISTS = -110;
const SESSION_MS = 10_000;

type Done<Values extends unknown[]> = (code: number, text: string, ...values: Values) => void;

/** What of the driver is used here. */
interface Driver {
  init(config: object): void;
  on(event: 'connect', listener: () => void): void;
  a_create(path: string, data: string, flags: number, done: Done<[path: string]>): number;
  a_get_children2(path: string, watch: boolean, done: Done<[names: string[] | null, stat: unknown]>): number;
  a_delete_(path: string, version: number, done: Done<[]>): number;
  close(): void;
}

interface Relay {
  open(): Promise<string>;
  close(): Promise<void>;
}

type RelayClass = new (terms: object) => Relay;

const BUILT = new URL('../../dist/', import.meta.url);
const RELAY = new URL('zookeeper/zookeeper.relay.js', BUILT);

export const zooKeeperByHand: Contender = {
  name: 'by hand, ZooKeeper',
  kind: 'by hand',
  sends: [],
  open: (connect) => openDriver(connect, async () => undefined),
};

/** As ours reaches the server. For information: what the relay costs is ours to pay. */
export const zooKeeperByHandRelayed: Contender | undefined = existsSync(RELAY)
  ? {
      name: 'by hand, ZooKeeper, through our relay',
      kind: 'by hand',
      sends: [],
      async open(connect) {
        const [host, port] = connect.split(':');
        const { ZooKeeperRelay } = (await import(RELAY.href)) as { readonly ZooKeeperRelay: RelayClass };
        const { systemClock: clock } = (await import(new URL('core/clock.js', BUILT).href)) as {
          readonly systemClock: object;
        };
        const relay = new ZooKeeperRelay({
          servers: [{ host, port: Number(port) }],
          clock,
          timeoutMs: () => SESSION_MS,
        });
        return openDriver(await relay.open(), () => relay.close());
      },
    }
  : undefined;

async function openDriver(connect: string, hangUp: () => Promise<void>): ReturnType<Contender['open']> {
  const driver = new (createRequire(import.meta.url)('zookeeper') as new () => Driver)();
  await new Promise<void>((resolve) => {
    driver.on('connect', resolve);
    driver.init({
      connect,
      timeout: SESSION_MS,
      debug_level: 0,
      host_order_deterministic: false,
      response_counter_limit: 2 ** 31 - 1,
    });
  });
  const parents = new Map<string, Promise<string>>();
  const parentOf = (key: string): Promise<string> => {
    let parent = parents.get(key);
    if (parent === undefined) parents.set(key, (parent = makeParent(driver, key)));
    return parent;
  };
  return {
    async acquire(key) {
      const parent = await parentOf(key);
      const [[path]] = await Promise.all([
        answer<[string]>((done) => driver.a_create(`${parent}/claim-`, '', EPHEMERAL_SEQUENTIAL, done)),
        answer((done) => driver.a_get_children2(parent, false, done)),
      ]);
      // oxlint-disable-next-line no-underscore-dangle -- the driver's name
      return () => answer((done) => driver.a_delete_(path, -1, done));
    },
    async close() {
      // Not while the driver calls: it would end the process.
      await new Promise(setImmediate);
      driver.close();
      await hangUp();
    },
  };
}

async function makeParent(driver: Driver, key: string): Promise<string> {
  const parent = `/${key.replaceAll(/[^\w-]/g, '-')}`;
  await answer((done) => driver.a_create(parent, '', PERSISTENT, done), [0, NODE_EXISTS]);
  return parent;
}

function answer<Values extends unknown[]>(
  ask: (done: Done<Values>) => number,
  expected: readonly number[] = [0],
): Promise<Values> {
  return new Promise((resolve, reject) => {
    ask((code, text, ...values) => {
      if (expected.includes(code)) resolve(values);
      else reject(new Error(`${code}: ${text}`));
    });
  });
}
