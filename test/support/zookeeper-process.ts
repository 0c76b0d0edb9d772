import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Guard } from './guard.js';
import { Hopeless, until } from './until.js';

export class PortTakenError extends Hopeless {}

/** What Debian's package has; elsewhere, the class path of a ZooKeeper. */
const CLASS_PATH = process.env['ZOOKEEPER_CLASSPATH'] ?? '/usr/share/java/zookeeper.jar';

/** Small and quick to start; a test starts many. Containers are collected at once, so that nothing is left for long. */
const JAVA = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true'];

export interface ZooKeeperSetUp {
  readonly folder: string;
  readonly configuration: string;
  readonly port: number;
  readonly properties: Readonly<Record<string, string | number>>;
}

/** One run of a server, from its start to its end. */
export class ZooKeeperProcess {
  private readonly exited: Promise<unknown>;
  private readonly guard: Guard;

  private constructor(
    private readonly child: ChildProcess,
    folder: string,
  ) {
    this.guard = new Guard(child.pid!, folder);
    this.exited = once(child, 'exit').then(() => this.guard.forgetProcess());
    child.unref();
  }

  /** Resolves when the process is there; it may not serve yet. */
  static async start({ folder, configuration, properties }: ZooKeeperSetUp): Promise<ZooKeeperProcess> {
    const output = openSync(join(folder, 'zookeeper.log'), 'w');
    const given = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const child = spawn('java', [...JAVA, ...given, '-cp', CLASS_PATH, main, configuration], {
      cwd: folder,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      throw new Error('no java in PATH: install ZooKeeper (Debian: apt-get install zookeeper)', { cause: error });
    }
    return new ZooKeeperProcess(child, folder);
  }

  get pid(): number {
    return this.child.pid!;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it serves. Itself: somebody else's server may be on that port. */
  async serves(set: ZooKeeperSetUp): Promise<void> {
    await until(
      'ZooKeeper serves',
      async () => {
        if (!this.alive) throw this.deathOf(set);
        return (await fourLetters(set.port, 'conf')).includes(`dataDir=${set.folder}`);
      },
      60_000,
    );
  }

  /** Resolves when it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.alive) return;
    this.child.ref();
    this.child.kill(signal);
    await until(`the server is gone after ${signal}`, () => this.exited.then(() => true));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Once it is gone, and its folder is taken care of. */
  dismissGuard(): Promise<void> {
    return this.guard.dismiss();
  }

  private deathOf({ folder }: ZooKeeperSetUp): Error {
    const said = readFileSync(join(folder, 'zookeeper.log'), 'utf8');
    if (/Address already in use|BindException/.test(said)) return new PortTakenError(said);
    return new Hopeless(`ZooKeeper ended. Its log ends:\n${said.slice(-2_000)}`);
  }
}

/** Asks a server about itself: `srvr`, `mntr`, `dump`… */
export async function fourLetters(port: number, word: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.setTimeout(2_000, () => socket.destroy(new Error(`no answer to ${word}`)));
  socket.end(word);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
