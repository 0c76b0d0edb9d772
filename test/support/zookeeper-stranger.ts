import { once } from 'node:events';
import { type DriverHandle, openDriver } from '../../lib/zookeeper/zookeeper.driver.js';

type Done = (code: number, text: string, ...values: unknown[]) => void;

/** What the backend has no use for. */
interface WholeDriver extends DriverHandle {
  a_set(path: string, data: string, version: number, done: Done): number;
}

/** Somebody else who is connected to the same server, and does there whatever comes to mind. */
export class ZooKeeperStranger {
  private constructor(private readonly driver: WholeDriver) {}

  static async connect(connect: string): Promise<ZooKeeperStranger> {
    const driver = openDriver() as WholeDriver;
    const connected = once(driver as unknown as NodeJS.EventEmitter, 'connect');
    driver.init({
      connect,
      timeout: 10_000,
      debug_level: 0,
      host_order_deterministic: false,
      response_counter_limit: 2 ** 31 - 1,
    });
    await connected;
    return new ZooKeeperStranger(driver);
  }

  async children(path: string): Promise<readonly string[]> {
    const [names] = await this.answer<[string[]]>((done) => this.driver.a_get_children2(path, false, done as never));
    return names;
  }

  async make(path: string): Promise<void> {
    await this.answer((done) => this.driver.a_create(path, '', 0, done));
  }

  async write(path: string, data: string): Promise<void> {
    await this.answer((done) => this.driver.a_set(path, data, -1, done));
  }

  async remove(path: string): Promise<void> {
    // oxlint-disable-next-line no-underscore-dangle -- the driver's name
    await this.answer((done) => this.driver.a_delete_(path, -1, done));
  }

  async setRights(path: string, perms: number): Promise<void> {
    const acl = [{ perms, scheme: 'world', auth: 'anyone' }];
    await this.answer((done) => this.driver.a_set_acl(path, -1, acl, done));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.driver.close();
        resolve();
      });
    });
  }

  private answer<Values extends unknown[]>(ask: (done: Done) => number): Promise<Values> {
    return new Promise((resolve, reject) => {
      ask((code, text, ...values) => {
        if (code === 0) resolve(values as Values);
        else reject(new Error(`${text} (${code})`));
      });
    });
  }
}
