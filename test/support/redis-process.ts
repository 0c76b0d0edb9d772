import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Redis } from 'ioredis';
import { Guard } from './guard.js';
import { Hopeless, until } from './until.js';

export class PortTakenError extends Hopeless {}

export interface RedisSetUp {
  readonly folder: string;
  readonly args: readonly string[];
  readonly admin: Redis;
}

/** One run of a `redis-server`, from its start to its end. */
export class RedisProcess {
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

  /** Resolves when the server answers. */
  static async start({ folder, args, admin }: RedisSetUp, env: NodeJS.ProcessEnv): Promise<RedisProcess> {
    const log = join(folder, 'redis.log');
    // Not appended to: what it says is about this run.
    const output = openSync(log, 'w');
    const child = spawn('redis-server', args, {
      cwd: folder,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
    });
    closeSync(output);
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      throw new Error('no redis-server in PATH: install it (Debian: apt-get install redis-server)', { cause: error });
    }
    const run = new RedisProcess(child, folder);
    try {
      await run.answers(admin);
      return run;
    } catch (error) {
      await run.kill('SIGKILL');
      await run.dismissGuard();
      const said = readFileSync(log, 'utf8');
      if (said.includes('Address already in use')) throw new PortTakenError(said);
      throw new Error(`${(error as Error).message}. Its log ends:\n${said.slice(-2_000)}`, { cause: error });
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.alive) return;
    this.child.ref();
    this.child.kill(signal);
    await until(`redis-server is gone after ${signal}`, () => this.exited.then(() => true));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Once it is gone, and its folder is taken care of. */
  dismissGuard(): Promise<void> {
    return this.guard.dismiss();
  }

  /** Itself: somebody else's server, or what is no server at all, may be on that port. */
  private async answers(admin: Redis): Promise<void> {
    const probe = admin.duplicate({ retryStrategy: () => 20, maxRetriesPerRequest: 0, socketTimeout: 1_000 });
    probe.on('error', () => undefined);
    try {
      await until('redis-server answers', async () => {
        if (!this.alive) throw new Hopeless('redis-server ended');
        return (await probe.info('server')).includes(`process_id:${this.pid}\r\n`);
      });
    } finally {
      probe.disconnect();
    }
  }
}
