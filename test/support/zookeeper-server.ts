import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { until } from './until.js';
import { fourLetters, PortTakenError, ZooKeeperProcess } from './zookeeper-process.js';

export interface ZooKeeperServerOptions {
  /** The shortest session is twice as long, and sessions end on a multiple of it. */
  readonly tickMs?: number;
  /** How often containers without children are removed. */
  readonly collectEveryMs?: number;
  /** Lines of zoo.cfg besides. */
  readonly config?: Readonly<Record<string, string | number>>;
  /** Java's system properties besides. */
  readonly properties?: Readonly<Record<string, string | number>>;
}

/** A server of one's own on a free loopback port. */
export async function startZooKeeperServer(options: ZooKeeperServerOptions = {}): Promise<ZooKeeperServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new ZooKeeperServer(await freePort(), options);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      if (!(error instanceof PortTakenError) || attempt === 10) throw error;
    }
  }
}

export class ZooKeeperServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-zookeeper-'));
  readonly configuration = join(this.folder, 'zoo.cfg');
  readonly connect: string;
  readonly properties: Readonly<Record<string, string | number>>;
  private run: ZooKeeperProcess | undefined;

  constructor(
    readonly port: number,
    { tickMs = 200, collectEveryMs = 200, config = {}, properties = {} }: ZooKeeperServerOptions = {},
    /** In an ensemble. */
    id?: number,
  ) {
    this.connect = `127.0.0.1:${port}`;
    this.properties = {
      'znode.container.checkIntervalMs': collectEveryMs,
      'znode.container.maxPerMinute': 1_000_000,
      ...properties,
    };
    const lines = {
      tickTime: tickMs,
      dataDir: this.folder,
      clientPort: port,
      clientPortAddress: '127.0.0.1',
      maxClientCnxns: 0,
      '4lw.commands.whitelist': '*',
      'admin.enableServer': 'false',
      ...config,
    };
    writeFileSync(
      this.configuration,
      Object.entries(lines)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    mkdirSync(this.folder, { recursive: true });
    if (id !== undefined) writeFileSync(join(this.folder, 'myid'), `${id}\n`);
  }

  /** Of the latest start. */
  get pid(): number {
    if (this.run === undefined) throw new Error('never started');
    return this.run.pid;
  }

  /** What it says of itself, by name. */
  async facts(): Promise<ReadonlyMap<string, string>> {
    const lines = (await fourLetters(this.port, 'mntr')).split('\n');
    return new Map(lines.map((line) => line.split('\t', 2) as [string, string]));
  }

  async fact(name: string): Promise<number> {
    return Number((await this.facts()).get(name));
  }

  ask(word: string): Promise<string> {
    return fourLetters(this.port, word);
  }

  /** Sends a signal that ends it, and waits until it is gone. Its folder stays, for a restart. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.run?.kill(signal);
  }

  /** Stops it in the middle of whatever it does. The kernel goes on taking connections and bytes for it. */
  pause(): void {
    this.run?.signal('SIGSTOP');
  }

  resume(): void {
    this.run?.signal('SIGCONT');
  }

  /** Kills it if it runs, and starts it on the same port and folder. Waits until it serves, unless told otherwise. */
  async restart({ waits = true } = {}): Promise<void> {
    await this.kill();
    const before = this.run;
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.run = await ZooKeeperProcess.start(this);
        await before?.dismissGuard();
        if (waits) await this.serves();
        return;
      } catch (error) {
        await this.run?.kill('SIGKILL');
        if (before === undefined || !(error instanceof PortTakenError) || attempt === 20) throw error;
        await sleep(250);
      }
    }
  }

  async serves(): Promise<void> {
    await this.run!.serves(this);
  }

  /** Leaves no process and no folder. */
  async stop(): Promise<void> {
    await this.run?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    await this.run?.dismissGuard();
  }
}

/** As many nodes below the root as that, sooner or later. */
export async function nodesBecome(server: ZooKeeperServer, expected: number): Promise<void> {
  await until(`${expected} nodes`, async () => (await server.fact('zk_znode_count')) === expected);
}
