import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zooKeeperClassPath } from '../../tools/servers.mjs';
import { freePort } from './free-port.js';
import { PortTakenError, ServerProcess } from './server-process.js';
import { until } from './until.js';

/** Small and quick to start; a test starts many. */
const JAVA = [
  '-Xmx192m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.net.preferIPv4Stack=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
];

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
  readonly connect: string;
  private readonly configuration = join(this.folder, 'zoo.cfg');
  private readonly properties: Readonly<Record<string, string | number>>;
  private run: ServerProcess | undefined;

  constructor(
    readonly port: number,
    { tickMs = 200, collectEveryMs = 200, config = {}, properties = {} }: ZooKeeperServerOptions = {},
    /** In an ensemble. */
    id?: number,
  ) {
    this.connect = `127.0.0.1:${port}`;
    this.properties = {
      // Containers are collected at once, so that nothing is left for long.
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
    const lines = (await this.ask('mntr')).split('\n');
    return new Map(lines.map((line) => line.split('\t', 2) as [string, string]));
  }

  async fact(name: string): Promise<number> {
    return Number((await this.facts()).get(name));
  }

  /** One of the words of four letters: `srvr`, `conf`, `dump`… */
  async ask(word: string): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: this.port });
    socket.setTimeout(2_000, () => socket.destroy(new Error(`no answer to ${word}`)));
    socket.end(word);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
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
        this.run = await this.start(waits);
        await before?.dismissGuard();
        return;
      } catch (error) {
        if (before === undefined || !(error instanceof PortTakenError) || attempt === 20) throw error;
        await sleep(250);
      }
    }
  }

  /** Leaves no process and no folder. */
  async stop(): Promise<void> {
    await this.run?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    await this.run?.dismissGuard();
  }

  private start(waits: boolean): Promise<ServerProcess> {
    const properties = Object.entries(this.properties).map(([name, value]) => `-D${name}=${value}`);
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    return ServerProcess.start({
      command: 'java',
      args: [...JAVA, ...properties, '-cp', zooKeeperClassPath, main, this.configuration],
      folder: this.folder,
      debianPackage: 'zookeeper',
      ...(waits && { answers: () => this.answers(), withinMs: 60_000 }),
    });
  }

  private async answers(): Promise<boolean> {
    return (await this.ask('conf')).includes(`dataDir=${this.folder}`);
  }
}

/** As many nodes below the root as that, sooner or later. */
export async function nodesBecome(server: ZooKeeperServer, expected: number): Promise<void> {
  await until(`${expected} nodes`, async () => (await server.fact('zk_znode_count')) === expected);
}
